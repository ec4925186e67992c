import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ElectionCause } from '../../raft/index.js';
import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import { committed, refOf, resetOf } from '../testing/chain.js';
import { call, MetricsUnderTest, report, status, verdict } from './testing/metrics-under-test.js';

let t: MetricsUnderTest;

beforeEach(() => {
  t = new MetricsUnderTest();
});

/** The role of this node and its leader change. */
const becomes = (role: 'leader' | 'follower', leader: string): boolean =>
  t.raft.emit('role', { type: 'role', role, term: 2, leader, reason: 'elected' });

describe('health checks', () => {
  it("are counted by op-conductor's texts, not by the texts of the programs", async () => {
    const codes = [
      undefined,
      'node-unreachable',
      'unsafe-head-old',
      'safe-head-old',
      'execution-unreachable',
    ] as const;
    for (const code of codes) t.metrics.healthChecked(report(code));
    t.metrics.healthChecked(report('rollup-boost-partial', 'degraded'));
    const name = 'op_conductor_healthchecks_count';
    expect(await t.value(name, 'error=', 'success=true')).toBe(2);
    expect(await t.value(name, 'error=cannot connect to sequencer rpc endpoints', 'success=false')).toBe(1);
    expect(await t.value(name, 'error=sequencer is not healthy', 'success=false')).toBe(2);
    expect((await t.page()).get(name)?.samples.size).toBe(4);
  });
});

describe('elections', () => {
  const stand = (cause: ElectionCause, prevote: boolean): boolean =>
    t.raft.emit('electionStarted', { type: 'electionStarted', term: 2, cause, prevote });
  const elections = (reason: string): Promise<number | undefined> =>
    t.value('op_conductor_elections_total', `reason=${reason}`);
  const failovers = (): Promise<(number | undefined)[]> =>
    Promise.all([
      t.value('op_conductor_failover_duration_seconds_count'),
      t.value('op_conductor_leader_transfer_duration_seconds_count'),
    ]);

  it('are counted by their cause, and pre-votes are not counted', async () => {
    stand('timeout', true);
    expect(await elections('timeout')).toBeUndefined();
    stand('timeout', false);
    expect(await elections('timeout')).toBe(1);
    for (const cause of ['retry', 'leader-gone', 'transfer'] as const) {
      stand(cause, false);
      expect(await elections(cause)).toBe(1);
    }
    expect(await elections('timeout')).toBe(1);
  });

  it('are measured until the sequencer runs here, separately for transfers', async () => {
    stand('timeout', true);
    stand('timeout', false);
    becomes('leader', 'a');
    t.controller.emit('sequencerStarted', true);
    expect(await failovers()).toEqual([1, 0]);
    // An operator restarted op-node: nothing failed.
    t.controller.emit('sequencerStarted', true);
    stand('transfer', false);
    becomes('leader', 'a');
    t.controller.emit('sequencerStarted', true);
    expect(await failovers()).toEqual([1, 1]);
    // Another node won.
    stand('timeout', true);
    becomes('follower', 'c');
    t.controller.emit('sequencerStarted', true);
    expect(await failovers()).toEqual([1, 1]);
  });
});

describe('elections of a paused conductor', () => {
  it('are not counted as failovers, however late it is resumed', async () => {
    for (const cause of ['timeout', 'transfer'] as const) {
      t.raft.emit('electionStarted', { type: 'electionStarted', term: 2, cause, prevote: false });
      becomes('leader', 'a');
      t.controller.emit('resumed');
      t.controller.emit('sequencerStarted', true);
    }
    expect(await t.value('op_conductor_failover_duration_seconds_count')).toBe(0);
    expect(await t.value('op_conductor_leader_transfer_duration_seconds_count')).toBe(0);
  });
});

describe('commits', () => {
  it('are measured by stage, and counted', async () => {
    t.raft.emit('committed', 3);
    t.raft.emit('stored', 2);
    t.raft.emit('proposed', { replicateMs: 10, applyMs: 1 });
    t.metrics.called(call({ method: 'conductor_commitUnsafePayload', durationMs: 20, decodeMs: 5 }));
    expect(await t.value('consensus_commits_total')).toBe(3);
    expect(await t.value('op_conductor_raft_fsync_duration_seconds_sum')).toBe(0.002);
    const sum = (stage: string): Promise<number | undefined> =>
      t.value('op_conductor_commit_duration_seconds_sum', `stage=${stage}`);
    expect(await Promise.all(['decode', 'replicate', 'apply', 'total'].map(sum))).toEqual([
      0.005, 0.01, 0.001, 0.02,
    ]);
  });

  it('that are refused are counted by reason, and not measured', async () => {
    const error = new RpcError('x', { reason: 'not-leader' });
    t.metrics.called(call({ method: 'commit-unsafe-payload', error }));
    t.metrics.called(call({ method: 'conductor_transferLeader', error }));
    expect(await t.value('op_conductor_rejected_commits_total', 'reason=not-leader')).toBe(1);
    expect(await t.value('op_conductor_commit_duration_seconds_count', 'stage=total')).toBeUndefined();
  });

  it('show what became of the block', async () => {
    const block = committed(refOf(5));
    t.metrics.applied(block, { type: 'append' });
    t.metrics.applied(block, { type: 'gap', missing: 3 });
    t.metrics.applied(block, { type: 'replacement', replaced: [block, block] });
    t.metrics.applied(block, { type: 'refused', reason: '' });
    const reset = resetOf(refOf(5), refOf(3));
    t.metrics.applied({ ...reset.to, logIndex: 6 }, { type: 'reset', reset, depth: 2 });
    expect(await t.value('op_conductor_committed_bytes_total')).toBe(3 * block.byteLength);
    expect(await t.value('op_conductor_chain_gaps_total')).toBe(1);
    expect(await t.value('op_conductor_replaced_blocks_total')).toBe(2);
    expect(await t.value('op_conductor_chain_resets_total', 'evidence=operator')).toBe(1);
  });
});

describe('disks that cannot be trusted', () => {
  it('are counted by owner when two processes run on copies of one disk', async () => {
    const of = (peer: string): Promise<number | undefined> =>
      t.value('op_conductor_identity_used_twice_total', `peer=${peer}`);
    expect(await of('b')).toBeUndefined();
    for (const peer of ['b', 'c', 'b']) t.raft.emit('identityUsedTwice', peer);
    expect([await of('b'), await of('c')]).toEqual([2, 1]);
  });

  it("are shown if this node's own disk lost confirmed data, but not if another's did", async () => {
    const lost = (node: string): boolean =>
      t.raft.emit('reverted', { type: 'reverted', node, proof: 'shorter', acknowledged: 4, found: 2 });
    const shown = (): Promise<number | undefined> => t.value('op_conductor_log_reverted');
    lost('b');
    expect(await shown()).toBe(0);
    lost('a');
    expect(await shown()).toBe(1);
  });
});

describe('calls', () => {
  it('are counted by method and outcome', async () => {
    t.metrics.called(call());
    t.metrics.called(call());
    t.metrics.called(call({ error: new RpcError('no', { reason: 'not-leader' }), resultBytes: 0 }));
    const of = (name: string, ...labels: string[]): Promise<number | undefined> =>
      t.value(`op_conductor_rpc_server_${name}`, ...labels, 'method=conductor_leader', 'rpc=main');
    expect(await of('requests_total')).toBe(3);
    expect(await of('responses_total', 'error=<nil>')).toBe(2);
    expect(await of('responses_total', 'error=rpc_-32000')).toBe(1);
    expect(await of('params_size_total')).toBe(6);
    expect(await of('results_size_total')).toBe(8);
    expect(await of('request_duration_seconds_sum')).toBeCloseTo(0.012);
  });
});

describe('calls that backends answer with codes of their own', () => {
  it('do not create unbounded labels', async () => {
    for (let code = 1; code <= 100; code += 1)
      t.metrics.called(call({ error: new RpcError('no', { code, reason: 'x' }) }));
    t.metrics.called(call({ error: new RpcError('no', { code: 1, reason: 'x' }) }));
    const of = (error: string): Promise<number | undefined> =>
      t.value(
        'op_conductor_rpc_server_responses_total',
        `error=${error}`,
        'method=conductor_leader',
        'rpc=main',
      );
    expect(await of('rpc_1')).toBe(2);
    expect(await of('rpc_100')).toBeUndefined();
    const { samples } = (await t.page()).get('op_conductor_rpc_server_responses_total')!;
    expect(samples.size).toBeLessThan(20);
    expect([...samples.values()].reduce((sum, count) => sum + count)).toBe(101);
  });
});

describe('gauges', () => {
  const names = ['leader', 'healthy', 'active', 'paused', 'leader_overridden'];
  const switches = (): Promise<(number | undefined)[]> =>
    Promise.all(names.map((name) => t.value(`op_conductor_${name}`)));

  it('show what the status says', async () => {
    t.metrics.refresh(status, verdict);
    expect(await switches()).toEqual([1, 1, 1, 0, 0]);
    expect(await t.value('op_conductor_term')).toBe(7);
    expect(await t.value('sequencer_leader_term')).toBe(7);
    expect(await t.value('op_conductor_committed_head_number')).toBe(42);
    expect(await t.value('op_conductor_committed_head_age_seconds')).toBeGreaterThanOrEqual(100);
    expect(await t.value('op_conductor_peer_lag_entries', 'peer=b')).toBe(3);
    expect(await t.value('op_conductor_peer_last_contact_seconds', 'peer=b')).toBe(0.25);
  });

  it('drop values that no longer apply', async () => {
    t.metrics.refresh(status, verdict);
    const over: ConductorStatus = {
      ...status,
      role: 'follower',
      leader: null,
      peers: [],
      head: null,
      node: { ...status.node, sequencerActive: null, lagBlocks: null },
      health: { ...status.health, status: 'unhealthy' },
      paused: true,
      leaderOverridden: true,
    };
    t.metrics.refresh(over, verdict);
    expect(await switches()).toEqual([0, 0, 0, 1, 1]);
    expect(await t.value('sequencer_leader_term')).toBe(0);
    expect(await t.value('op_conductor_committed_head_age_seconds')).toBeNaN();
    expect(await t.value('op_conductor_peer_lag_entries', 'peer=b')).toBeUndefined();
  });

  it('show the verdict on the cluster, and every code before its first problem', async () => {
    const cutOff = ['baton_cluster_problems', 'code=cut-off', 'severity=degraded'] as const;
    t.metrics.refresh(status, verdict);
    expect(await t.value('baton_cluster_level')).toBe(0);
    expect(await t.value(...cutOff)).toBe(0);
    const problem = { code: 'cut-off', severity: 'degraded', member: 'b', message: '', remedy: '' } as const;
    const bad: ClusterVerdict = {
      ...{ ...verdict, level: 'critical', problems: [problem, { ...problem, member: 'c' }] },
      ...{ voters: 5, votersKeepingUp: 3, failureTolerance: 0 },
    };
    t.metrics.refresh(status, bad);
    const names = ['level', 'voters', 'voters_keeping_up', 'failure_tolerance'];
    const values = await Promise.all(names.map((name) => t.value(`baton_cluster_${name}`)));
    expect([...values, await t.value(...cutOff)]).toEqual([2, 5, 3, 0, 2]);
    t.metrics.refresh(status, verdict);
    expect(await t.value(...cutOff)).toBe(0);
  });
});
