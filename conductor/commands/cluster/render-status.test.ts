import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../../rpc/server/conductor-status.js';
import type { ClusterView } from '../../verdict/cluster-view.js';
import { member, silent, viewOf } from '../../verdict/testing/views.js';
import { leading, memberStatus, witnessStatus } from '../testing/fake-cluster.js';
import { renderJson, renderTable } from './render-status.js';

/** Compares with a file; `UPDATE_GOLDEN=1` writes it. */
function expectGolden(name: string, text: string): void {
  const file = new URL(`golden/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, `${text}\n`);
  expect(text).toBe(readFileSync(file, 'utf8').trimEnd());
}

const a = leading('a');
const b = memberStatus('b');

const at = (status: ConductorStatus, number: number): ConductorStatus => ({
  ...status,
  node: { ...status.node, head: { ...status.node.head!, number } },
});

const summary = 'head is 14 s old; no peers';
const unhealthy: ConductorStatus['health'] = { status: 'unhealthy', summary, reasons: [], checkedAtMs: 1 };

const VIEWS: [string, ClusterView][] = [
  ['ok', viewOf(member(a), member(b), member(memberStatus('c')))],
  ['witness', viewOf(member(a), member(b), member(witnessStatus('w')))],
  ['degraded', viewOf(member(a), member({ ...at(b, 93), paused: true, health: unhealthy }), silent('c'))],
  ['critical', viewOf(member(at(a, 109)), member(at(b, 109)), member(at(memberStatus('c'), 109)))],
  ['quorum-lost', viewOf(member({ ...a, role: 'candidate', node: b.node }), silent('b'), silent('c'))],
  ['no-cluster', viewOf(member({ ...b, clusterId: null, head: null, leader: null, term: 0 }, 'no member'))],
];

describe.each(VIEWS)('%s', (name, view) => {
  it('as a table', () => expectGolden(`${name}.txt`, renderTable(view)));

  it('as JSON', () => expectGolden(`${name}.json.txt`, renderJson(view)));
});

it.each<[ConductorStatus['role'], string]>([
  ['leader', 'leader (witness)'],
  ['candidate', 'candidate (witness)'],
  ['follower', 'witness'],
])('a witness that is %s: %s', (role, shown) => {
  const cluster = viewOf(member(b), member(witnessStatus('w', { role })));
  expect(renderTable(cluster)).toMatch(new RegExp(`^w +${shown.replace(/[()]/g, '\\$&')} +healthy +-`, 'm'));
  // Programs find the role where it always was.
  expect(JSON.parse(renderJson(cluster))).toMatchObject({
    leader: role === 'leader' ? 'w' : null,
    members: [{}, { id: 'w', role, lagBlocks: null, status: { witness: true } }],
  });
});
