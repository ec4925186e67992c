import { describe, expect, it } from '@jest/globals';
import { isAsExpected, stepsUnder } from './document-steps.js';

const GUIDE = `# Guide

## First

Say hello:

\`\`\`console
$ echo hello
hello
one$ for NAME in a b; do
>   echo $NAME
> done
a

b
\`\`\`

Slots without a block: none.

1. Then wait.

   \`\`\`console
   two$ sleep 1
   \`\`\`

   \`\`\`sh
   $ not ours
   \`\`\`

   Slots without a block: at most 3, for as long as it takes.

### Below

\`\`\`console
$ true
\`\`\`

## Second

\`\`\`console
$ false
\`\`\`
`;

describe('the steps of a document', () => {
  const [hello, wait, below, ...more] = stepsUnder(GUIDE, 'First');

  it('are the commands behind prompts, with their machines and output', () => {
    expect(hello).toEqual({
      commands: [
        { host: null, command: 'echo hello', expected: ['hello'], line: 8 },
        {
          host: 'one',
          command: 'for NAME in a b; do\n  echo $NAME\ndone',
          expected: ['a', 'b'],
          line: 10,
        },
      ],
      emptySlotsMax: 0,
    });
  });

  it('may be in lists, and say how many slots may be empty', () => {
    expect(wait).toEqual({
      commands: [{ host: 'two', command: 'sleep 1', expected: [], line: 23 }],
      emptySlotsMax: 3,
    });
  });

  it('are those of their section and its subsections', () => {
    expect(below).toMatchObject({ commands: [{ command: 'true' }], emptySlotsMax: undefined });
    expect(more).toEqual([]);
    expect(stepsUnder(GUIDE, 'Second')).toMatchObject([{ commands: [{ command: 'false' }] }]);
  });

  it('are refused if they break a rule', () => {
    expect(() => stepsUnder(GUIDE, 'Third')).toThrow('there is no command under "Third"');
    expect(() => stepsUnder('# A\n\n```console\noutput\n```', 'A')).toThrow('line 4: output of no command');
    expect(() => stepsUnder('# A\n\nSlots without a block: none.', 'A')).toThrow('line 3: no command');
  });
});

describe('output', () => {
  it.each([
    ['one line of several', 'a\nb\nc', ['b'], true],
    ['in the same order', 'a\nb\nc', ['a', 'c'], true],
    ['not in another', 'a\nb\nc', ['c', 'a'], false],
    ['with any text for …', 'seq-1  leader  healthy', ['seq-1 … healthy'], true],
    ['to the letter otherwise', '3 of 3 (ok)', ['3 of . (ok)'], false],
    ['in columns of any width', 'seq-1     leader', ['seq-1 leader'], true],
    ['not one line for two', 'a', ['a', 'a'], false],
  ])('%s', (_, output, expected, isSo) => {
    expect(isAsExpected(output, expected)).toBe(isSo);
  });
});
