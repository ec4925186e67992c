import { describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../../rpc/server/conductor-status.js';
import { leading, memberStatus, witnessStatus } from '../testing/fake-cluster.js';
import type { ClusterView, Member } from './cluster-view.js';
import { renderJson, renderTable } from './render-status.js';

const member = (status: ConductorStatus, role: Member['role'] = 'voter'): Member => ({
  id: status.id,
  addr: `10.0.0.1:${50_000 + status.id.charCodeAt(0)}`,
  role,
  status,
  silence: '',
});

const silent = (id: string): Member => ({
  id,
  addr: '10.0.0.9:50050',
  role: 'voter',
  status: null,
  silence: 'connect ECONNREFUSED 10.0.0.9:50050',
});

const view = (...members: Member[]): ClusterView => ({ members, version: 7 });

const a = leading('a');
const b = memberStatus('b');
const c = memberStatus('c');
const healthy = view(member(a), member(b), member(c));

const at = (status: ConductorStatus, number: number): ConductorStatus => ({
  ...status,
  node: { ...status.node, head: { ...status.node.head!, number } },
});

/** The lines under the table. */
const verdict = (shown: ClusterView): string[] => renderTable(shown).split('\n\n')[1]!.split('\n');

describe('the table', () => {
  it('shows a healthy cluster', () => {
    expect(renderTable(healthy)).toBe(
      [
        'ID  ROLE      HEALTH   ACTIVE  HEAD  LAG  PAUSED  VERSION  REASON',
        'a   leader    healthy  yes     100   0    no      v1.2.3',
        'b   follower  healthy  no      100   0    no      v1.2.3',
        'c   follower  healthy  no      100   0    no      v1.2.3',
        '',
        'healthy',
      ].join('\n'),
    );
  });

  it('shows a witness as such, and has nothing against it', () => {
    expect(renderTable(view(member(a), member(b), member(witnessStatus('w'))))).toBe(
      [
        'ID  ROLE      HEALTH   ACTIVE  HEAD  LAG  PAUSED  VERSION  REASON',
        'a   leader    healthy  yes     100   0    no      v1.2.3',
        'b   follower  healthy  no      100   0    no      v1.2.3',
        'w   witness   healthy  -       -     -    no      v1.2.3',
        '',
        'healthy',
      ].join('\n'),
    );
  });

  it('shows what is wrong with each member, and those that do not answer', () => {
    const summary = 'head is 14 s old; no peers';
    const health: ConductorStatus['health'] = { status: 'unhealthy', summary, reasons: [], checkedAtMs: 1 };
    const table = renderTable(view(member(a), member({ ...at(b, 93), paused: true, health }), silent('c')));
    expect(table).toBe(
      [
        'ID  ROLE      HEALTH     ACTIVE  HEAD  LAG  PAUSED  VERSION  REASON',
        'a   leader    healthy    yes     100   0    no      v1.2.3',
        'b   follower  unhealthy  no      93    7    yes     v1.2.3   head is 14 s old; no peers',
        'c   ?         ?          ?       ?     ?    ?       ?        no answer: connect ECONNREFUSED 10.0.0.9:50050',
        '',
        'not healthy:',
        '  - b is unhealthy: head is 14 s old; no peers',
        '  - b is paused',
        '  - c does not answer: connect ECONNREFUSED 10.0.0.9:50050',
      ].join('\n'),
    );
  });
});

describe('a cluster is not healthy', () => {
  const stopped = { ...leading('a'), node: b.node };
  const cases: [string, ClusterView, string[]][] = [
    [
      'without a quorum',
      view(member({ ...a, role: 'candidate', node: b.node }), silent('b'), silent('c')),
      [
        'no leader: 1 of 3 voters answer, 2 are needed',
        'b does not answer: connect ECONNREFUSED 10.0.0.9:50050',
        'c does not answer: connect ECONNREFUSED 10.0.0.9:50050',
      ],
    ],
    ['without a leader', view(member(b), member(c)), ['no leader']],
    [
      'without members',
      view(member(b, 'no member')),
      ['there is no cluster yet', 'b is not a member of the cluster'],
    ],
    [
      'with two leaders',
      view(member(a), member({ ...c, role: 'leader', term: 9 })),
      ['several call themselves leader: c, a', 'the active sequencer is a, not that of the leader c'],
    ],
    [
      'with two active sequencers',
      view(member(a), member({ ...b, node: a.node })),
      ['several sequencers are active: a, b'],
    ],
    [
      'with an idle leader',
      view(member(stopped), member(b)),
      ['the sequencer of the leader a is not active'],
    ],
    [
      'with a leader that has to wait',
      view(member({ ...stopped, node: { ...stopped.node, startHeldBy: 'heads unknown' } }), member(b)),
      ['the sequencer of the leader a is not active: heads unknown'],
    ],
    [
      'with a witness as leader',
      view(member(witnessStatus('w', { role: 'leader', ready: true })), member(b)),
      ['the leader w is a witness, and no member with a node could take over'],
    ],
    [
      'with a paused witness as leader',
      view(member(witnessStatus('w', { role: 'leader', ready: true, paused: true })), member(b)),
      ['w is paused', 'the leader w is a witness, and no member with a node could take over'],
    ],
    ['with a paused witness', view(member(a), member(witnessStatus('w', { paused: true }))), ['w is paused']],
    ['with a paused leader', view(member({ ...stopped, paused: true })), ['a is paused']],
    [
      'with one that its foundation paused',
      view(member({ ...stopped, paused: true, pausedBy: 'bootstrap' })),
      ['a is paused (by bootstrap)'],
    ],
    ['under an override', view(member({ ...a, leaderOverridden: true })), ['the leader is overridden on a']],
    [
      'before the first check',
      view(
        member({
          ...a,
          health: { status: 'unknown', summary: 'not checked yet', reasons: [], checkedAtMs: null },
        }),
      ),
      ['a is unknown: not checked yet'],
    ],
    [
      'when degraded',
      view(
        member({
          ...a,
          health: { status: 'degraded', summary: 'x', reasons: [], checkedAtMs: 1 },
        }),
      ),
      ['a is degraded: x'],
    ],
  ];
  it.each(cases)('%s', (_name, shown, expected) => {
    expect(verdict(shown)).toEqual(['not healthy:', ...expected.map((text) => `  - ${text}`)]);
  });
});

it('a member that cannot vote counts for nothing', () => {
  expect(verdict(view(member(a), member(b), member(c, 'nonvoter')))).toEqual(['healthy']);
  expect(renderTable(view(member(a), member(c, 'nonvoter')))).toContain('\nc   nonvoter');
});

it.each<[ConductorStatus['role'], string]>([
  ['leader', 'leader (witness)'],
  ['candidate', 'candidate (witness)'],
  ['follower', 'witness'],
])('a witness that is %s: %s', (role, shown) => {
  const cluster = view(member(b), member(witnessStatus('w', { role })));
  expect(renderTable(cluster)).toMatch(new RegExp(`^w +${shown.replace(/[()]/g, '\\$&')} +healthy +-`, 'm'));
  // Programs find the role where it always was.
  expect(JSON.parse(renderJson(cluster))).toMatchObject({
    leader: role === 'leader' ? 'w' : null,
    members: [{}, { id: 'w', role, lagBlocks: null, status: { witness: true } }],
  });
});

describe('the JSON', () => {
  it('says the same, with all that the members said', () => {
    const json = JSON.parse(renderJson(view(member(a), member(at(b, 98)), silent('c')))) as object;
    expect(json).toMatchObject({
      healthy: false,
      problems: ['c does not answer: connect ECONNREFUSED 10.0.0.9:50050'],
      leader: 'a',
      version: 7,
      members: [
        { id: 'a', role: 'leader', lagBlocks: 0, status: a },
        { id: 'b', role: 'follower', lagBlocks: 2 },
        { id: 'c', role: '?', lagBlocks: null, status: null, silence: 'connect ECONNREFUSED 10.0.0.9:50050' },
      ],
    });
    expect(JSON.parse(renderJson(healthy))).toMatchObject({ healthy: true, problems: [], leader: 'a' });
  });
});
