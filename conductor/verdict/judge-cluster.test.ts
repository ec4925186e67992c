import { describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { leading, memberStatus, witnessStatus } from '../commands/testing/fake-cluster.js';
import type { ClusterView } from './cluster-view.js';
import { judgeCluster } from './judge-cluster.js';
import { remedyOf } from './remedies.js';
import { member, silent, viewOf } from './testing/views.js';

type Peer = ConductorStatus['peers'][number];

const peer = (id: string, changes: Partial<Peer> = {}): Peer => ({
  ...{ id, addr: `${id}:1`, suffrage: 0, state: 'replicate', fitness: 'fit' },
  ...{ matchIndex: 200, lagEntries: 0, lastContactMs: 10, ...changes },
});

/** What the leader knows about b and c. */
const knowing = (...peers: Peer[]): ConductorStatus => leading('a', { peers });
const a = knowing(peer('b'), peer('c'));
const b = memberStatus('b');
const c = memberStatus('c');
const idle = { ...a, node: b.node };

const withNode = (status: ConductorStatus, changes: Partial<ConductorStatus['node']>): ConductorStatus => ({
  ...status,
  node: { ...status.node, ...changes },
});
const at = (status: ConductorStatus, number: number): ConductorStatus =>
  withNode(status, { head: { ...status.node.head!, number } });
const sick = (status: 'unknown' | 'degraded' | 'unhealthy'): Partial<ConductorStatus> => ({
  health: { status, summary: 'says why', reasons: [], checkedAtMs: null },
});
const servers = (diskOfC: string): ConductorStatus['membership'] => ({
  version: 7,
  servers: [{ id: 'c', addr: 'c:1', suffrage: 0, disk: diskOfC }],
});

const three = (...changed: ConductorStatus[]): ClusterView =>
  viewOf(...[a, b, c].map((usual) => member(changed.find(({ id }) => id === usual.id) ?? usual)));

/** The verdict in short: level, then code and message of each problem. */
const short = (view: ClusterView): string[] => {
  const { level, problems } = judgeCluster(view);
  return [level, ...problems.map(({ code, message }) => `${code}: ${message}`)];
};

const TWO_OF_THREE =
  'no-failure-tolerance: 2 of 3 voters keep up, and 2 are needed: the next failure of one stops the chain';
const TWO_OF_TWO =
  'no-failure-tolerance: 2 of 2 voters keep up, and 2 are needed: the next failure of one stops the chain';
const NO_ANSWER = 'does not answer: connect ECONNREFUSED 10.0.0.9:50050';

it('three voters that keep up, with one active sequencer, are ok', () => {
  expect(judgeCluster(three())).toEqual({
    ...{ schemaVersion: 1, level: 'ok', problems: [], leader: 'a' },
    ...{ voters: 3, votersKeepingUp: 3, failureTolerance: 1 },
  });
});

describe('what the leader knows about a member', () => {
  const cases: [string, ClusterView, string][] = [
    [
      'wiped',
      three({ ...c, clusterId: null, term: 0, leader: null, head: null }),
      'wiped-disk: c is a voter, but belongs to no cluster: its disk is empty',
    ],
    [
      'on another disk',
      three({ ...a, membership: servers('d1') }, { ...c, disk: 'd2' }),
      'wiped-disk: the disk of c is not the one that was added',
    ],
    ['foreign', three({ ...c, clusterId: 'c9' }), 'foreign-cluster: c belongs to another cluster (c9)'],
    [
      'the leader of its own cluster',
      three({ ...c, clusterId: 'c9', role: 'leader', term: 99 }),
      'foreign-cluster: c belongs to another cluster (c9)',
    ],
    [
      'cut off',
      three(knowing(peer('b'), peer('c', { lastContactMs: 16_011 }))),
      'cut-off: the leader a has heard nothing from c for 16.0 s',
    ],
    [
      'thousands of entries behind',
      three(knowing(peer('b'), peer('c', { lagEntries: 4000 }))),
      "member-behind: c misses 4000 entries of the leader's log",
    ],
    [
      'behind, and not yet known to a new leader',
      three(knowing(peer('b'), peer('c', { state: 'probe', matchIndex: 0, lagEntries: 200 })), {
        ...c,
        lastIndex: 150,
      }),
      "member-behind: c misses 50 entries of the leader's log",
    ],
    [
      'reverted',
      three(knowing(peer('b'), peer('c', { state: 'reverted' }))),
      'disk-reverted: the disk of c has lost what it had confirmed: the leader refuses it',
    ],
    [
      'without a leader',
      three({ ...c, leader: null, term: 2 }),
      'follows-another: c knows no leader in term 2, and a leads in term 3',
    ],
    [
      'a follower of another',
      three({ ...c, leader: { id: 'b', addr: 'b:1' }, term: 4 }),
      'follows-another: c follows b in term 4, and a leads in term 3',
    ],
    ['silent', viewOf(member(a), member(b), silent('c')), `no-answer: c ${NO_ANSWER}`],
  ];
  it.each(cases)('does not count a member that is %s', (_, view, expected) => {
    expect(short(view)).toEqual(['degraded', TWO_OF_THREE, expected]);
    expect(judgeCluster(view)).toMatchObject({ votersKeepingUp: 2, failureTolerance: 0, leader: 'a' });
  });

  it.each<[string, ClusterView]>([
    [
      'has just been elected',
      three(knowing(peer('b'), peer('c', { state: 'probe', matchIndex: 0, lagEntries: 200 }))),
    ],
    [
      'is slow because its timing is',
      three({
        ...knowing(peer('c', { lastContactMs: 4000 })),
        timing: { ...a.timing, electionTimeoutMs: 1500 },
      }),
    ],
    ['has an older version, which names no disks', three({ ...a, membership: servers('d1') })],
    ['sends the last entries', three(knowing(peer('b'), peer('c', { lagEntries: 16 })))],
  ])('finds nothing wrong while the leader %s', (_, view) => {
    expect(short(view)).toEqual(['ok']);
  });

  it('4: a member without a vote does not reduce the tolerance', () => {
    const d = memberStatus('d', { clusterId: null });
    const view = viewOf(...three().members, member(d, 'nonvoter'));
    expect(short(view)).toEqual([
      'degraded',
      'wiped-disk: d is a nonvoter, but belongs to no cluster: its disk is empty',
    ]);
    expect(judgeCluster(view).failureTolerance).toBe(1);
  });
});

describe('the committed head and the heads of nodes', () => {
  it.each<[string, ClusterView, string[]]>([
    ['as gossip runs ahead of the news of a commit', three(at(b, 102)), ['ok']],
    ['as a standby follows', three(at(b, 84)), ['ok']],
    [
      'when nodes publish uncommitted blocks',
      three(at(a, 109), at(b, 108)),
      [
        'critical',
        'uncommitted-blocks: the nodes of a, b are up to 9 blocks above the committed head 100: blocks are published that are not committed',
      ],
    ],
    [
      'when a sequencer runs, and nothing was ever committed',
      three(...[a, b, c].map((status) => ({ ...status, head: null }))),
      ['critical', 'nothing-committed: the sequencer of a is active, and no block was ever committed'],
    ],
    [
      'when one node misses blocks',
      three(at(c, 80)),
      ['degraded', 'node-behind: the execution client of c misses 20 committed blocks'],
    ],
  ])('%s', (_, view, expected) => {
    expect(short(view)).toEqual(expected);
  });
});

describe('the cluster', () => {
  const cases: [string, ClusterView, string[]][] = [
    [
      'without a quorum',
      viewOf(member({ ...a, role: 'candidate', node: b.node }), silent('b'), silent('c')),
      [
        'critical',
        'quorum-lost: no leader: 1 of 3 voters answer, 2 are needed',
        `no-answer: b ${NO_ANSWER}`,
        `no-answer: c ${NO_ANSWER}`,
      ],
    ],
    [
      'whose followers are all cut off',
      three(knowing(peer('b', { lastContactMs: 9000 }), peer('c', { lastContactMs: 9000 }))),
      [
        'critical',
        'quorum-lost: 1 of 3 voters keeps up, and 2 are needed: no block is committed',
        'cut-off: the leader a has heard nothing from b for 9.0 s',
        'cut-off: the leader a has heard nothing from c for 9.0 s',
      ],
    ],
    ['without a leader', viewOf(member(b), member(c)), ['critical', 'no-leader: no leader']],
    [
      'without members',
      viewOf(member({ ...withNode(b, { head: null }), clusterId: null }, 'no member')),
      ['critical', 'no-cluster: there is no cluster yet', 'not-a-member: b is not a member of the cluster'],
    ],
    [
      'with two leaders',
      three({ ...c, role: 'leader', term: 9, leader: { id: 'c', addr: '' } }),
      [
        'critical',
        'several-leaders: several call themselves leader: c, a',
        'sequencer-elsewhere: the active sequencer is a, not that of the leader c',
        'follows-another: a follows a in term 3, and c leads in term 9',
        'follows-another: b follows a in term 3, and c leads in term 9',
      ],
    ],
    ['of two', viewOf(member(a), member(b)), ['degraded', TWO_OF_TWO]],
    [
      'of one',
      viewOf(member(leading('a'))),
      [
        'degraded',
        'no-failure-tolerance: 1 of 1 voters keeps up, and 1 is needed: the next failure of one stops the chain',
      ],
    ],
    [
      'of two voters and one that has no vote',
      viewOf(member(a), member(b), member(c, 'nonvoter')),
      ['degraded', TWO_OF_TWO],
    ],
    [
      'with two active sequencers',
      three(withNode(b, { sequencerActive: true })),
      ['critical', 'several-sequencers: several sequencers are active: a, b'],
    ],
    [
      'with an idle leader',
      three(idle),
      ['critical', 'sequencer-idle: the sequencer of the leader a is not active'],
    ],
    [
      'with a leader that has to wait',
      three(withNode(idle, { startHeldBy: 'heads unknown' })),
      ['critical', 'sequencer-idle: the sequencer of the leader a is not active: heads unknown'],
    ],
    [
      '5: with a paused leader that does not sequence',
      three({ ...idle, paused: true }),
      [
        'critical',
        'sequencer-idle: the sequencer of the leader a is not active: a is paused',
        'paused: a is paused',
      ],
    ],
    [
      '5: with a paused leader beside the active sequencer of another',
      three({ ...idle, paused: true }, withNode(b, { sequencerActive: true })),
      [
        'critical',
        'sequencer-elsewhere: the active sequencer is b, not that of the leader a',
        'paused: a is paused',
      ],
    ],
    [
      'with a paused leader that sequences',
      three({ ...a, paused: true, pausedBy: 'bootstrap' }),
      ['degraded', 'paused: a is paused (by bootstrap)'],
    ],
    [
      'with a witness as leader',
      viewOf(
        member(witnessStatus('w', { role: 'leader', ready: true, leader: { id: 'w', addr: '' } })),
        ...[b, c].map((status) => member({ ...status, leader: { id: 'w', addr: '' } })),
      ),
      ['critical', 'witness-leads: the leader w is a witness, and no member with a node could take over'],
    ],
    [
      'with a paused witness as leader',
      viewOf(
        member(
          witnessStatus('w', { role: 'leader', ready: true, paused: true, leader: { id: 'w', addr: '' } }),
        ),
        ...[b, c].map((status) => member({ ...status, leader: { id: 'w', addr: '' } })),
      ),
      [
        'critical',
        'witness-leads: the leader w is a witness, and no member with a node could take over',
        'paused: w is paused',
      ],
    ],
    [
      'under an override',
      three({ ...b, leaderOverridden: true }),
      ['critical', 'leader-overridden: the leader is overridden on b'],
    ],
    [
      'with an op-node that was told to publish without its conductor',
      three(withNode(b, { overriddenSinceMs: 1_700_000_000_000 })),
      ['critical', 'node-overridden: the op-node of b publishes without its conductor until it is restarted'],
    ],
    [
      'when several members notice a copy of a disk',
      three(
        { ...a, doubted: [{ id: 'c', doubt: 'used-twice' }] },
        {
          ...b,
          doubted: [
            { id: 'c', doubt: 'used-twice' },
            { id: 'a', doubt: 'unproven' },
          ],
        },
      ),
      [
        'degraded',
        'identity-used-twice: two processes speak for c, from copies of one disk',
        'identity-unproven: a process speaks for a and does not answer at the address of that member',
      ],
    ],
    [
      'before the first check',
      three({ ...b, ...sick('unknown') }),
      ['degraded', 'node-unchecked: b is unknown: says why'],
    ],
    [
      'when one is degraded',
      three({ ...b, ...sick('degraded') }),
      ['degraded', 'node-degraded: b is degraded: says why'],
    ],
    [
      'when one is unhealthy',
      three({ ...b, ...sick('unhealthy') }),
      ['degraded', 'node-unhealthy: b is unhealthy: says why'],
    ],
  ];
  it.each(cases)('%s', (_, view, expected) => {
    expect(short(view)).toEqual(expected);
  });

  it('may lose two of five voters', () => {
    const five = viewOf(...['b', 'c', 'd', 'e'].map((id) => member(memberStatus(id))), member(leading('a')));
    expect(judgeCluster(five)).toMatchObject({ voters: 5, failureTolerance: 2, level: 'ok' });
  });
});

describe('14: remedies', () => {
  it('name the member and its address', () => {
    expect(remedyOf('wiped-disk', 's1', '10.0.0.2:50050')).toContain('baton add s1 10.0.0.2:50050: ');
    expect(remedyOf('no-answer', 's1', '10.0.0.2:50050')).toContain('baton replace s1 NEW ADDRESS.');
    expect(remedyOf('leader-overridden', 's1')).toContain('baton override s1 --remove ');
  });

  it('are part of every problem', () => {
    const { problems } = judgeCluster(three({ ...c, clusterId: null }));
    expect(problems.map(({ remedy }) => remedy)).toEqual([
      remedyOf('no-failure-tolerance', null),
      remedyOf('wiped-disk', 'c', '10.0.0.1:50099'),
    ]);
  });
});

describe('a cluster that is halted', () => {
  const halt = { sinceMs: 1_700_000_000_000, owner: 'alice@ops', reason: 'bad upgrade' };
  const HALTED = 'halted: the cluster is halted by alice@ops: bad upgrade';
  const old = (code: string): Partial<ConductorStatus> => {
    const reason = { check: 'unsafe-head', code, severity: 'unhealthy', message: 'says why' } as const;
    return { health: { status: 'unhealthy', summary: 'says why', reasons: [reason], checkedAtMs: 1 } };
  };

  it('is degraded by the halt alone: missing sequencers and old heads are intended', () => {
    const members = [idle, b, c].map((status) => ({ ...status, ...old('unsafe-head-old'), halt }));
    expect(short(three(...members))).toEqual(['degraded', HALTED]);
  });

  it('still shows other problems', () => {
    const members = [idle, { ...b, ...old('too-few-peers') }, c].map((status) => ({ ...status, halt }));
    expect(short(three(...members))).toEqual([
      'degraded',
      HALTED,
      'node-unhealthy: b is unhealthy: says why',
    ]);
  });

  it('is critical while a sequencer runs', () => {
    expect(short(three(...[a, b, c].map((status) => ({ ...status, halt }))))).toEqual([
      'critical',
      'halt-ignored: the sequencer of a is active although the cluster is halted',
      HALTED,
    ]);
  });

  it('is judged by its leader, or without one by the member that has applied most', () => {
    expect(short(three({ ...idle, halt }, b, c))).toContain(HALTED);
    expect(short(three(idle, { ...b, halt }, c))).not.toContain(HALTED);
    const leaderless = { ...idle, role: 'follower' } as const;
    expect(short(three(leaderless, { ...b, halt, appliedIndex: 201 }, c))).toContain(HALTED);
    expect(short(three(leaderless, { ...b, halt }, { ...c, appliedIndex: 201 }))).not.toContain(HALTED);
  });
});
