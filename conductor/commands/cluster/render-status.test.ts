import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../../rpc/server/conductor-status.js';
import type { ClusterView } from '../../verdict/cluster-view.js';
import { member, silent, viewOf } from '../../verdict/testing/views.js';
import { leading, memberStatus, witnessStatus } from '../testing/fake-cluster.js';
import { expectGolden } from '../testing/expect-golden.js';
import { renderTable, statusDocument } from './render-status.js';

const NOW_MS = 1_700_000_002_500;
const table = (view: ClusterView, look: Partial<Parameters<typeof renderTable>[1]> = {}): string =>
  renderTable(view, { nowMs: NOW_MS, ...look });
const json = (view: ClusterView): string => JSON.stringify(statusDocument(view), null, 2);

const a = leading('a');
const b = memberStatus('b');

const at = (status: ConductorStatus, number: number): ConductorStatus => ({
  ...status,
  node: { ...status.node, head: { ...status.node.head!, number } },
});

const summary = 'head is 14 s old; no peers';
const unhealthy: ConductorStatus['health'] = { status: 'unhealthy', summary, reasons: [], checkedAtMs: 1 };

const halt = { sinceMs: 1_700_000_000_000, owner: 'alice@ops', reason: 'bad upgrade' };

const VIEWS: [string, ClusterView][] = [
  ['ok', viewOf(member(a), member(b), member(memberStatus('c')))],
  ['witness', viewOf(member(a), member(b), member(witnessStatus('w')))],
  ['degraded', viewOf(member(a), member({ ...at(b, 93), paused: true, health: unhealthy }), silent('c'))],
  ['critical', viewOf(member(at(a, 109)), member(at(b, 109)), member(at(memberStatus('c'), 109)))],
  ['halted', viewOf(...[{ ...a, node: b.node }, b].map((status) => member({ ...status, halt })))],
  ['quorum-lost', viewOf(member({ ...a, role: 'candidate', node: b.node }), silent('b'), silent('c'))],
  ['no-cluster', viewOf(member({ ...b, clusterId: null, head: null, leader: null, term: 0 }, 'no member'))],
];

describe.each(VIEWS)('%s', (name, view) => {
  it('as a table', () => expectGolden(`${name}.txt`, table(view)));

  it('18: within 80 columns', () => {
    const narrow = table(view, { columns: 80 });
    expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expectGolden(`${name}.80.txt`, narrow);
  });

  it('19: wide', () => expectGolden(`${name}.wide.txt`, table(view, { wide: true })));

  it('as JSON', () => expectGolden(`${name}.json.txt`, json(view)));
});

describe('18: on a terminal', () => {
  const view = VIEWS.find(([name]) => name === 'degraded')![1];

  it('has colours, and the same text', () => {
    const coloured = table(view, { columns: 80, color: true });
    expect(coloured).toContain('\u001b[31munhealthy\u001b[39m');
    expect(coloured).toContain('\u001b[1m\u001b[33mdegraded\u001b[39m\u001b[22m: 2 of 3');
    expect(stripVTControlCharacters(coloured)).toBe(table(view, { columns: 80 }));
  });

  it('19: fills 160 columns with all columns', () => {
    const real = viewOf(
      ...['sequencer-0', 'sequencer-1', 'sequencer-2'].map((id) =>
        member({ ...(id === 'sequencer-0' ? a : b), id, rpcPort: 8547 }),
      ),
    );
    const lines = table(real, { columns: 160, wide: true }).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(160);
    for (const title of ['VOTE', 'TERM', 'AGE', 'LOG LAG', 'ADDRESS', 'RPC', 'UPTIME']) {
      expect(lines[0]).toContain(title);
    }
  });

  it('cuts a long reason and shows it in full below', () => {
    const long = 'the head of the execution client is 14 s old, and '.repeat(3);
    const sick = viewOf(member(a), member({ ...b, health: { ...unhealthy, summary: long } }));
    const [, , row, ...below] = table(sick, { columns: 100 }).split('\n');
    expect(row).toMatch(/…$/);
    expect(row!.length).toBe(100);
    expect(below.join(' ').replace(/\s+/g, ' ')).toContain(`b is unhealthy: ${long.trim()}`);
  });
});

it.each<[ConductorStatus['role'], string]>([
  ['leader', 'leader (witness)'],
  ['candidate', 'candidate (witness)'],
  ['follower', 'witness'],
])('a witness that is %s: %s', (role, shown) => {
  const cluster = viewOf(member(b), member(witnessStatus('w', { role })));
  expect(table(cluster)).toMatch(new RegExp(`^w +${shown.replace(/[()]/g, '\\$&')} +healthy +-`, 'm'));
  // Programs find the role where it always was.
  expect(JSON.parse(json(cluster))).toMatchObject({
    leader: role === 'leader' ? 'w' : null,
    members: [{}, { id: 'w', role, lagBlocks: null, status: { witness: true } }],
  });
});
