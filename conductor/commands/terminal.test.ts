import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { askOnTerminal, screenOf } from './terminal.js';

/** The answer to a question, and the output. */
async function ask(
  act: (input: PassThrough, giveUp: AbortController) => void,
): Promise<{ answer: boolean; shown: string }> {
  const [input, output, giveUp] = [new PassThrough(), new PassThrough(), new AbortController()];
  const asked = askOnTerminal('Do it? ', giveUp.signal, { input, output });
  act(input, giveUp);
  return { answer: await asked, shown: String(output.read()) };
}

describe('a question on the terminal', () => {
  it.each([
    ['y\n', true],
    [' YES \n', true],
    ['\n', false],
    ['n\n', false],
    ['yesterday\n', false],
  ])('%j is %j', async (typed, answer) => {
    expect(await ask((input) => input.write(typed))).toEqual({ answer, shown: 'Do it? ' });
  });

  it('is answered with no at the end of the input, and by Ctrl-C', async () => {
    expect((await ask((input) => input.end())).answer).toBe(false);
    expect((await ask((_, giveUp) => giveUp.abort())).answer).toBe(false);
  });
});

describe('18: the screen', () => {
  let written = '';
  const terminal = {
    isTTY: true,
    columns: 0,
    hasColors: () => false,
    write: (text: string) => ((written += text), true),
  };

  it('does not exist if the result goes to a file or a pipe', () => {
    expect(screenOf({ ...terminal, isTTY: false })).toBeUndefined();
  });

  it('has the width and the colours of the terminal', () => {
    expect(screenOf(terminal)!.columns()).toBe(80);
    expect(screenOf({ ...terminal, columns: 132 })!.columns()).toBe(132);
    expect(screenOf(terminal)!.color).toBe(false);
    expect(screenOf({ ...terminal, hasColors: () => true })!.color).toBe(true);
  });

  it('is drawn over completely', () => {
    screenOf(terminal)!.redraw('one\ntwo');
    expect(written).toBe('\u001b[Hone\u001b[0K\ntwo\u001b[0K\n\u001b[0J');
  });
});
