import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from '../index.js';
import { CommandLine } from '../testing/command-line.js';

let t: CommandLine;

const IDS = ['a', 'b', 'c'];

/** Every conductor does what it is told, and the log reaches all that answer. */
const obey = (id: string, method: string, params: unknown[]): { result: unknown } => {
  const all = (halt: { sinceMs: number; owner: string; reason: string } | null): void =>
    IDS.filter((each) => !t.cluster.get(each).silent).forEach((each) => t.cluster.change(each, { halt }));
  switch (method) {
    case 'conductor_halt':
      all({ sinceMs: 1_700_000_000_000, owner: String(params[0]), reason: String(params[1]) });
      sequences('a', false);
      break;
    case 'conductor_endHalt':
      all(null);
      sequences('a', true);
      break;
    case 'conductor_pause':
      t.cluster.change(id, { paused: true, pausedBy: 'conductor_pause' });
      break;
    case 'conductor_stopSequencer': {
      const { sequencerActive } = t.cluster.get(id).status.node;
      sequences(id, false);
      return { result: sequencerActive ? '0xhead' : null };
    }
  }
  return { result: null };
};

function sequences(id: string, sequencerActive: boolean): void {
  t.cluster.change(id, { node: { ...t.cluster.get(id).status.node, sequencerActive } });
}

const withoutTimes = (): string[] => t.printed.map((line) => line.replace(/ \(\d+\.\d s\)$/, ''));
const as = (user: string, ...argv: string[]): Promise<number> =>
  runCommand([...argv, '--rpc', t.cluster.url('a')], t.io({ USER: user }));

beforeEach(async () => {
  t = await CommandLine.start();
  t.cluster.onCall = obey;
});
afterEach(() => t.stop());

describe('halt', () => {
  it('is recorded with who and why, and is complete when no sequencer runs', async () => {
    expect(await as('alice', 'halt', '--reason', 'bad upgrade')).toBe(0);
    expect(t.cluster.calls).toEqual([`a conductor_halt ["alice@${hostname()}","bad upgrade"]`]);
    expect(withoutTimes()).toEqual([
      'No sequencer will run anywhere: the chain stops after the block that is being made, until baton resume. A restart, a new leader or a new member does not start it.',
      'a leads; its sequencer ends its block and stops.',
      'The number of voters stays 3; the failure tolerance stays 1.',
      'Reason: bad upgrade',
      'halted: the chain stands at block 100, which is committed',
    ]);
  });

  it('stands at the top of status, and degrades the cluster', async () => {
    await as('alice', 'halt', '--reason', 'bad upgrade');
    t.printed.length = 0;
    expect(await t.baton('status')).toBe(1);
    expect(t.printed[0]).toMatch(
      /^HALTED since 2023-11-14T22:13:20\.000Z by alice@.*: bad upgrade\n\nID .*\ndegraded: 3 of 3/s,
    );
    expect(t.printed[0]).toContain('(halted)\n    End it with baton resume');
  });

  it('waits until every sequencer has stopped, and every member knows of the halt', async () => {
    t.cluster.onCall = (id, method, params) => {
      const answer = obey(id, method, params);
      if (method === 'conductor_halt') sequences('a', true);
      return answer;
    };
    expect(await t.baton('halt', '--reason', 'x', '--deadline', '300ms')).toBe(1);
    expect(t.failure()).toEqual(['error: after 300ms: the sequencer of a is active still', 'deadline']);
    sequences('a', false);
    t.cluster.change('a', { halt: null });
    t.cluster.onCall = (id, method, params) => {
      const answer = obey(id, method, params);
      t.cluster.change('c', { halt: null });
      return answer;
    };
    expect(await t.baton('halt', '--reason', 'x', '--deadline', '300ms')).toBe(1);
    expect(t.failure()).toEqual(['error: after 300ms: c has not heard of it yet', 'deadline']);
  });

  it('needs a reason, and an answer', async () => {
    expect(await t.baton('halt')).toBe(3);
    t.answer = false;
    expect(await t.baton('halt', '--reason', 'x')).toBe(3);
    expect(await t.baton('halt', '--reason', 'x', '--dry-run')).toBe(0);
    expect(t.cluster.calls).toEqual([]);
  });

  it('of a halted cluster says who halted it', async () => {
    await as('alice', 'halt', '--reason', 'bad upgrade');
    t.cluster.calls.length = 0;
    expect(await as('bob', 'halt', '--reason', 'me, too')).toBe(0);
    expect(t.printed.at(-1)).toMatch(/^halted already, since .* by alice@.*: bad upgrade/);
    expect(t.cluster.calls).toEqual([]);
  });

  it('without a quorum pauses and stops the members that answer, and says what that means', async () => {
    await t.cluster.kill('b');
    await t.cluster.kill('c');
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('halt', '--reason', 'x')).toBe(0);
    expect(t.cluster.calls).toEqual(['a conductor_pause []', 'a conductor_stopSequencer []']);
    expect(withoutTimes()).toEqual([
      'There is no leader: 1 of 3 voters answer, 2 are needed: the halt cannot be recorded.',
      'a will be paused, and their sequencers stopped. Members that do not answer stay as they are.',
      'These do not answer: b, c. A sequencer there that still runs cannot commit a block without a majority.',
      'The number of voters stays 3; the failure tolerance stays 0 (no block is committed).',
      'Reason: x',
      'a: sequencer stopped at 0xhead',
      'a: paused, and no sequencer runs there. This is not recorded in the log: members that do not answer now, and such as are added, know nothing of it, and a majority of them starts the chain again. End it with baton resume',
    ]);
  });

  it('does the same if members of an older release cannot read the record', async () => {
    t.cluster.onCall = (id, method, params) =>
      method === 'conductor_halt'
        ? { error: { code: -32000, message: 'nothing can be recorded yet: c is not known to …' } }
        : obey(id, method, params);
    expect(await t.baton('halt', '--reason', 'x')).toBe(0);
    expect(t.noted.join()).toContain('nothing can be recorded yet: c');
    expect(t.cluster.calls.filter((call) => call.includes('pause'))).toHaveLength(3);
    expect(t.printed.at(-1)).toContain('a, b, c: paused, and no sequencer runs there');
  });
});

describe('resume of a halt', () => {
  beforeEach(async () => {
    await as('alice', 'halt', '--reason', 'bad upgrade');
    t.cluster.calls.length = t.printed.length = 0;
  });

  it('says what was halted and by whom, and ends the halt', async () => {
    expect(await as('bob', 'resume', '--reason', 'rolled back')).toBe(0);
    expect(t.cluster.calls).toEqual([`a conductor_endHalt ["bob@${hostname()}","rolled back"]`]);
    expect(withoutTimes()).toEqual([
      expect.stringMatching(/^The halt will end \(since .* by alice@.*: bad upgrade\)\.$/),
      'a leads and will start its sequencer on block 100.',
      'The number of voters stays 3; the failure tolerance stays 1.',
      'Reason: rolled back',
      'the halt is over',
      'a, b, c: resumed',
    ]);
  });

  it('keeps the halt if only some members are resumed, or if the answer is no', async () => {
    t.cluster.change('b', { paused: true });
    t.cluster.onCall = (id) => {
      t.cluster.change(id, { paused: false });
      return { result: null };
    };
    expect(await t.baton('resume', 'b')).toBe(0);
    t.answer = false;
    expect(await t.baton('resume')).toBe(3);
    expect(t.cluster.calls).toEqual([expect.stringMatching(/^b conductor_endPause /)]);
  });

  it('needs a quorum, and names the danger of continuing without one', async () => {
    await t.cluster.kill('b');
    await t.cluster.kill('c');
    t.cluster.change('a', { role: 'follower' });
    expect(await t.baton('resume', '--deadline', '200ms')).toBe(1);
    expect(t.failure()[1]).toBe('quorum-lost');
    expect(t.noted.at(-1)).toMatch(/recover DIRECTORY; .* two chains/);
  });
});

it('transfers leadership in a halted cluster without a sequencer, and forces no member to sequence', async () => {
  await as('alice', 'halt', '--reason', 'bad upgrade');
  const old = {
    check: 'unsafe-head',
    code: 'unsafe-head-old',
    severity: 'unhealthy',
    message: 'old',
  } as const;
  t.cluster.change('b', {
    health: { status: 'unhealthy', summary: 'old', reasons: [old], checkedAtMs: 1 },
  });
  t.cluster.onCall = () => {
    t.cluster.lead('b');
    sequences('b', false);
    return { result: null };
  };
  expect(await t.baton('transfer', 'b')).toBe(0);
  expect(t.printed.at(-1)).toMatch(/the cluster is halted and starts no sequencer/);
  expect(await t.baton('force-active', 'b')).toBe(1);
  expect(t.failure()).toEqual([
    expect.stringMatching(/^error: the cluster is halted, since .*: bad upgrade$/),
    'halted',
  ]);
});
