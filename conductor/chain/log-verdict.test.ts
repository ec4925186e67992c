import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import { committed, hashOf, refOf, resetOf } from '../testing/chain.js';
import type { CommittedHead, Verdict } from './chain-state.js';
import { logVerdict } from './log-verdict.js';

function linesOf(head: CommittedHead, verdict: Verdict): unknown[] {
  const lines: unknown[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  logVerdict(pino({ base: null, timestamp: false }, { write }), head, verdict);
  return lines;
}

const head = committed(refOf(5));

it.each<[Verdict]>([[{ type: 'append' }], [{ type: 'duplicate' }]])('says nothing about %j', (verdict) => {
  expect(linesOf(head, verdict)).toEqual([]);
});

it('warns of a reset, with all details', () => {
  const reset = resetOf(refOf(9), refOf(5));
  expect(linesOf({ ...reset.to, logIndex: 7 }, { type: 'reset', reset, depth: 4 })).toEqual([
    {
      level: 40,
      from: { number: 9, hash: hashOf(9) },
      to: { number: 5, hash: hashOf(5) },
      depth: 4,
      evidence: 'operator',
      who: 'a test',
      msg: 'the committed head was reset',
    },
  ]);
});

it.each<[Verdict, object]>([
  [
    { type: 'gap', missing: 3 },
    { missing: 3, msg: 'committed head leaves a gap' },
  ],
  [
    { type: 'replacement', replaced: [committed(refOf(5, 'b'))] },
    { replaced: [{ number: 5, hash: hashOf(5, 'b') }], msg: 'committed blocks were replaced' },
  ],
  [
    { type: 'refused', reason: 'late' },
    { reason: 'late', msg: 'committed entry has no effect' },
  ],
])('warns of %j', (verdict, line) => {
  expect(linesOf(head, verdict)).toEqual([{ level: 40, number: 5, hash: hashOf(5), ...line }]);
});
