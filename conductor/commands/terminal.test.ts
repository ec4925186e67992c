import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { askOnTerminal } from './terminal.js';

/** The answer to a question, and what was shown. */
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

  it('is answered with no by the end of the input, and by Ctrl-C', async () => {
    expect((await ask((input) => input.end())).answer).toBe(false);
    expect((await ask((_, giveUp) => giveUp.abort())).answer).toBe(false);
  });
});
