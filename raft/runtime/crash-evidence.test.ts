import { beforeEach, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { CrashEvidence } from './crash-evidence.js';

let term: number;
let gone: string[];
/** What becomes known while the host is probed. */
let meanwhile: () => void;
let evidence: CrashEvidence;

beforeEach(() => {
  term = 3;
  gone = [];
  meanwhile = () => undefined;
  evidence = new CrashEvidence({
    leader: () => 'a',
    term: () => term,
    probe: async () => {
      meanwhile();
      return 'gone';
    },
    onGone: (leader) => void gone.push(leader),
    logger: pino({ level: 'silent' }),
  });
});

it('a leader whose host refuses connections is gone', async () => {
  await evidence.disconnected('a');
  expect(gone).toEqual(['a']);
});

it('a leader is gone once, however many of its connections end', async () => {
  await Promise.all([evidence.disconnected('a'), evidence.disconnected('a')]);
  evidence.restarted('a');
  expect(gone).toEqual(['a']);
  // The process that came after it may lead, and end, too.
  term = 4;
  await evidence.disconnected('a');
  expect(gone).toEqual(['a', 'a']);
});

it('what was seen of a leader does not count against it once it has been elected again', async () => {
  meanwhile = () => (term = 5);
  await evidence.disconnected('a');
  expect(gone).toEqual([]);
});
