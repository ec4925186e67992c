import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { HealthCode, HealthReason, HealthReport } from '../../health/health-report.js';
import type { Outcome } from '../../raft/index.js';
import {
  clusterStatusSchema,
  conductorStatusSchema,
  type ConductorStatus,
} from '../../rpc/server/conductor-status.js';
import { ClientError } from '../../rpc/clients/client-error.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import { ChainState } from '../chain/chain-state.js';
import { PayloadCommitter } from '../commit/payload-committer.js';
import { Controller } from '../control/controller.js';
import { Succession } from '../control/succession.js';
import { Switches } from '../control/switches.js';
import { Conductor } from './conductor.js';
import { nodeStatus } from './node-status.js';
import { encodeEligibility, Fitness } from '../control/eligibility.js';
import { LocalNode } from '../control/local-node.js';
import { chainOf, hashOf, payloadOf, refOf, silent } from '../testing/chain.js';
import { FakeNode, hashMismatch, historyOf } from '../testing/fake-node.js';
import { FakeRaft } from '../testing/fake-raft.js';
import { useVirtualTime, virtualSleep } from '../testing/virtual-time.js';

useVirtualTime();

const POLL_MS = 250;

let chain: ChainState;
let raft: FakeRaft;
let node: FakeNode;
let localNode: LocalNode;
let report: HealthReport | null;
let membershipCalls: unknown[][];
let controller: Controller;
let conductor: Conductor;
/** What other members say of themselves, by address. */
let memberStatus: Map<string, { nodeId: string; status?: unknown }>;

/** What the health monitor would say. */
function health(code: HealthCode | 'ok', change: Partial<HealthReason> = {}): void {
  const reason = { check: 'sync-status', code, severity: 'unhealthy', message: `it is ${code}`, ...change };
  const reasons = code === 'ok' ? [] : [reason as HealthReason];
  const status = reasons[0]?.severity ?? 'healthy';
  report = { healthy: status !== 'unhealthy', status, reasons, summary: `it is ${code}`, checkedAtMs: 0 };
  controller.healthChanged(report);
}

function build(options: { paused?: boolean; silentTransfer?: boolean; roundRobin?: boolean } = {}): void {
  const membership = {
    add: async (...args: unknown[]) => void membershipCalls.push(['add', ...args]),
    demote: async (...args: unknown[]) => void membershipCalls.push(['demote', ...args]),
    remove: async (...args: unknown[]) => void membershipCalls.push(['remove', ...args]),
    replace: async (...args: unknown[]) => void membershipCalls.push(['replace', ...args]),
    setTiming: async (...args: unknown[]) => void membershipCalls.push(['setTiming', ...args]),
  };
  const { opNode, execution } = node;
  localNode = new LocalNode({ opNode, execution, pollIntervalMs: POLL_MS, timeoutMs: 1000 });
  const switches = new Switches({ paused: options.paused ?? false });
  const succession = new Succession({
    raft,
    roundRobin: options.roundRobin ?? false,
    peerTimeoutMs: () => 500,
  });
  const history = historyOf(chain);
  const monitor = { latest: () => report, probeNow: () => undefined };
  controller = new Controller({
    ...{ raft, chain, history, opNode, execution, localNode, switches, succession },
    health: monitor,
    logger: silent,
    sleep: virtualSleep,
    progressGraceMs: 3000,
    stuckAfterMs: 10_000,
    callTimeoutMs: 10_000,
    catchUpTimeoutMs: 3000,
  });
  const status = (): ConductorStatus =>
    nodeStatus({
      ...{ raft, chain, localNode, health: monitor, switches },
      version: 'v1.2.3',
      rpcPort: () => 8545,
    });
  conductor = new Conductor({
    ...{ raft, chain, history, membership, controller, succession, switches, status },
    committer: new PayloadCommitter(raft, chain, silent),
    askStatus: async (address) => {
      const found = memberStatus.get(address);
      if (found === undefined) throw new Error(`${address} is not there`);
      return found;
    },
    silentTransfer: options.silentTransfer ?? false,
    logger: silent,
  });
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const poll = (): Promise<void> => pass(POLL_MS);

/** The node has blocks up to here, and the conductor knows it, healthy. */
async function up(height = 10): Promise<void> {
  node.gossip(...chainOf(node.head.number + 1, height).map(({ number }) => refOf(number)));
  localNode.start();
  await pass(0);
  health('ok');
  await pass(0);
}

/** A healthy node that leads and sequences. */
async function sequencing(): Promise<void> {
  await up();
  raft.lead();
  await poll();
  expect(node.active).toBe(true);
}

const fitPeer = (lag = 0): number => encodeEligibility(Fitness.fit, lag);

beforeEach(() => {
  chain = new ChainState();
  raft = new FakeRaft(chain);
  for (const { number } of chainOf(5, 10)) raft.commit(refOf(number));
  node = new FakeNode([refOf(5)]);
  report = null;
  membershipCalls = [];
  memberStatus = new Map();
  build();
});
afterEach(async () => {
  node.faults.clear();
  await controller.retire();
  await localNode.stop();
  jest.clearAllTimers();
});

describe('leader override', () => {
  it('answers as the leader without being one, and touches neither Raft nor the sequencer', async () => {
    await up();
    conductor.overrideLeader(true);
    expect(conductor.leader()).toBe(true);
    expect(conductor.leaderOverridden()).toBe(true);
    expect(conductor.leaderWithId()).toEqual({ id: 'N/A (Leader overridden)', addr: 'N/A', suffrage: 0 });
    await poll();
    expect([node.starts, raft.transfers]).toEqual([[], []]);

    conductor.overrideLeader(false);
    expect(conductor.leader()).toBe(false);
    expect(conductor.leaderWithId()).toEqual({ id: 'b', addr: 'b:50050', suffrage: 0 });
  });

  it('is not honoured by commits', async () => {
    conductor.overrideLeader(true);
    await expect(conductor.commitUnsafePayload(payloadOf(refOf(11)))).rejects.toThrow(
      'failed to apply payload envelope: node is not the leader',
    );
  });
});

describe('what it says of the cluster', () => {
  it('leader is what Raft says right now', () => {
    expect(conductor.leader()).toBe(false);
    raft.lead(false);
    expect(conductor.leader()).toBe(true);
    expect(conductor.leaderWithId()).toEqual({ id: 'a', addr: 'a:50050', suffrage: 0 });
  });

  it('an unknown leader is empty', () => {
    raft.follow(null);
    expect(conductor.leaderWithId()).toEqual({ id: '', addr: '', suffrage: 0 });
  });

  it('a leader that is no member any more has no address', () => {
    raft.follow('x');
    expect(conductor.leaderWithId()).toEqual({ id: 'x', addr: '', suffrage: 0 });
  });

  it('members have a numeric suffrage, and the version is the index of the configuration', () => {
    expect(conductor.clusterMembership()).toEqual({
      servers: [
        { id: 'a', addr: 'a:50050', suffrage: 0 },
        { id: 'b', addr: 'b:50050', suffrage: 0 },
        { id: 'c', addr: 'c:50050', suffrage: 0 },
        { id: 'd', addr: 'd:50050', suffrage: 1 },
      ],
      version: 42,
    });
  });

  it('no members are null, not an empty list', () => {
    raft.members = [];
    raft.version = 0;
    expect(conductor.clusterMembership()).toEqual({ servers: null, version: 0 });
  });

  it('hands changes of the membership on', async () => {
    await conductor.addServerAsVoter('x', 'x:1', 7);
    await conductor.addServerAsNonvoter('x', 'x:1', 0);
    await conductor.demoteVoter('x', 1, false);
    await conductor.removeServer('x', 2, true);
    await conductor.replaceServer('x', 'y', 'y:1', 3);
    expect(membershipCalls).toEqual([
      ['add', 'x', 'x:1', 7, true],
      ['add', 'x', 'x:1', 0, false],
      ['demote', 'x', 1, { force: false }],
      ['remove', 'x', 2, { force: true }],
      ['replace', 'x', { id: 'y', address: 'y:1' }, 3],
    ]);
  });
});

describe('sequencerHealthy', () => {
  it('is true before the first check', () => {
    expect(conductor.sequencerHealthy()).toBe(true);
  });

  it('is what the last check said', async () => {
    await up();
    expect(conductor.sequencerHealthy()).toBe(true);
    health('too-few-peers');
    expect(conductor.sequencerHealthy()).toBe(false);
  });

  it('is false as soon as the node does not answer, before the next check', async () => {
    await up();
    node.faults.set('latestBlock', 'hang');
    await pass(2 * (POLL_MS + 1000));
    expect(conductor.sequencerHealthy()).toBe(false);
  });
});

describe('the way to sequencing', () => {
  it('a new leader starts its sequencer on the committed head, once leadership is complete', async () => {
    await up();
    raft.lead(false);
    await poll();
    expect(node.starts).toEqual([]);
    raft.complete();
    await pass(0);
    expect(node.starts).toEqual([hashOf(10)]);
    await pass(2000);
    expect(node.starts).toHaveLength(1);
  });

  it('waits for the first health check', async () => {
    localNode.start();
    raft.lead();
    await poll();
    expect(node.starts).toEqual([]);
    health('ok');
    await poll();
    expect(node.active).toBe(true);
  });

  it('FailureAndRetry3 and 4 of op-conductor: a stalled chain, and the node is a block behind: post, start, catch up', async () => {
    await up(9);
    health('unsafe-head-old');
    for (const id of ['b', 'c']) raft.peer(id).eligibility = encodeEligibility(Fitness.stale, 0);
    raft.lead();
    await poll();
    expect(node.postedNumbers).toEqual([10]);
    expect(node.starts).toEqual([hashOf(10)]);
    health('unsafe-head-old');
    await pass(5000);
    expect([node.active, raft.transfers]).toEqual([true, []]);
  });

  it('Scenario2 and 5 of op-conductor: the health of a follower changes nothing', async () => {
    await up();
    for (const code of ['too-few-peers', 'ok', 'unsafe-head-old', 'node-unreachable', 'ok'] as const) {
      health(code);
      await poll();
    }
    expect([node.starts, raft.transfers, node.active]).toEqual([[], [], false]);
  });

  it('Scenario6 of op-conductor: leadership is lost: stop', async () => {
    await sequencing();
    raft.follow('c');
    await pass(0);
    expect(node.active).toBe(false);
  });

  it('Scenario7 of op-conductor: the leader turns unhealthy: stop, then transfer to the fittest', async () => {
    await sequencing();
    raft.peer('b').eligibility = encodeEligibility(Fitness.stale, 0);
    raft.peer('c').eligibility = fitPeer(3);
    health('too-few-peers');
    await pass(0);
    expect(node.active).toBe(false);
    expect(raft.transfers).toEqual(['c']);
    await pass(2000);
    expect(raft.transfers).toEqual(['c']);
  });

  it.each(['rollup-boost-unhealthy', 'rollup-boost-unreachable'] as const)(
    'RollupBoostHealthFailure and RollupBoostConnectionDown of op-conductor (%s): stop and transfer',
    async (code) => {
      await sequencing();
      raft.peer('b').eligibility = fitPeer();
      health(code, { check: 'rollup-boost', failures: 1 });
      await pass(0);
      health(code, { check: 'rollup-boost', failures: 2 });
      await pass(10);
      expect([node.active, raft.transfers]).toEqual([false, ['b']]);
    },
  );

  it('RollupBoostPartialFailure of op-conductor: no waiting for it to become healthy by itself', async () => {
    await up();
    health('unsafe-head-old');
    raft.lead();
    await poll();
    expect(node.active).toBe(true);
    raft.peer('b').eligibility = fitPeer();
    health('rollup-boost-partial');
    await pass(10);
    expect([node.active, raft.transfers]).toEqual([false, ['b']]);
  });

  it('a partial rollup-boost that is tolerated, or that is no better elsewhere, moves nothing', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer();
    health('rollup-boost-partial', { severity: 'degraded' });
    await pass(1000);
    raft.peer('b').eligibility = encodeEligibility(Fitness.partial, 0);
    health('rollup-boost-partial');
    await pass(1000);
    expect([node.active, raft.transfers]).toEqual([true, []]);
  });

  it('ConductorRestart of op-conductor: a follower whose sequencer runs stops it', async () => {
    node.active = true;
    await up();
    await poll();
    expect(node.active).toBe(false);
  });

  it('FailureAndRetry1 of op-conductor: transfers are tried again until one works', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer();
    raft.transferOutcomes.push(
      { outcome: 'rejected', reason: 'transfer-timeout' },
      { outcome: 'unknown', reason: 'leadership transfer timeout' },
    );
    node.faults.set('stopSequencer', new Error('refused'));
    health('too-few-peers');
    await pass(2000);
    expect(raft.transfers).toEqual(['b', 'b', 'b']);
    expect(node.active).toBe(false);
  });

  it('FailureAndRetry2 of op-conductor: the stop fails, the transfer works: stops as a follower', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer();
    node.faults.set('stopSequencer', new Error('refused'));
    health('too-few-peers');
    await pass(500);
    expect(raft.transfers).toEqual(['b']);
    expect(node.active).toBe(false);
  });

  it('an operator restarted op-node: its sequencer is started again', async () => {
    await sequencing();
    node.active = false;
    await pass(2 * POLL_MS);
    expect(node.active).toBe(true);
  });

  it('a hung op-node loses leadership without a wait for its answer', async () => {
    await sequencing();
    raft.peer('c').eligibility = fitPeer();
    node.faults.set('sequencerActive', 'hang');
    node.faults.set('stopSequencer', 'hang');
    await pass(2 * (POLL_MS + 1000) + 10);
    expect(raft.transfers).toEqual(['c']);
  });

  it('a stale leader that has just started gets its time to catch up, and no more', async () => {
    await up();
    health('unsafe-head-old');
    await pass(5000);
    raft.peer('b').eligibility = encodeEligibility(Fitness.stale, 0);
    raft.lead();
    await pass(0);
    expect(node.active).toBe(true);
    raft.peer('b').eligibility = fitPeer();
    await pass(2900);
    expect([node.active, raft.transfers]).toEqual([true, []]);
    await pass(POLL_MS);
    expect([node.active, raft.transfers]).toEqual([false, ['b']]);
  });

  it('a new leadership does not wait for the failures of the one before', async () => {
    await up();
    node.opNode.startSequencer = async (head) => {
      node.starts.push(head);
      throw new Error('refused');
    };
    raft.lead();
    await pass(1600);
    const before = node.starts.length;
    raft.follow('b');
    raft.lead();
    await pass(0);
    expect(node.starts).toHaveLength(before + 1);
  });

  it('a transfer that is no longer wanted does not take place', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer();
    node.faults.set('stopSequencer', 'hang');
    health('too-few-peers');
    await pass(100);
    health('ok');
    await pass(1000);
    expect(raft.transfers).toEqual([]);
  });

  it('a history that is too short gives leadership to a node closer to the head', async () => {
    chain.dropUpTo(4);
    await up(7);
    raft.peer('b').eligibility = fitPeer(9);
    raft.peer('c').eligibility = fitPeer(1);
    raft.lead();
    await pass(3000 - POLL_MS);
    expect(raft.transfers).toEqual([]);
    await pass(2 * POLL_MS);
    expect(raft.transfers).toEqual(['c']);
    expect(node.starts).toEqual([]);
  });

  it('a leader that is being fed hundreds of blocks gives way to a node that has them meanwhile', async () => {
    for (const { number } of chainOf(11, 300)) chain.apply(chainOf(number, number)[0]!, undefined);
    node.importMs = 50;
    await up(10);
    for (const id of ['b', 'c']) raft.peer(id).eligibility = fitPeer(280);
    raft.lead();
    await pass(500);
    expect(raft.transfers).toEqual([]);
    expect(node.postedNumbers.length).toBeGreaterThan(0);
    raft.peer('c').eligibility = fitPeer(0);
    await pass(2 * POLL_MS);
    expect(raft.transfers).toEqual(['c']);
    expect(node.starts).toEqual([]);
  });

  it('a history that is too short everywhere: tries on', async () => {
    chain.dropUpTo(4);
    await up(7);
    raft.peer('b').eligibility = fitPeer(5);
    raft.lead();
    await pass(7000);
    expect(raft.transfers).toEqual([]);
    node.gossip(...chainOf(8, 10).map(({ number }) => refOf(number)));
    await pass(1000);
    expect(node.active).toBe(true);
  });

  it('feeds a standby that misses blocks, and only then', async () => {
    await up();
    raft.commit(refOf(11));
    node.gossip(refOf(11));
    await pass(2000);
    expect(node.posted).toEqual([]);
    for (const { number } of chainOf(12, 14)) raft.commit(refOf(number));
    await pass(700);
    expect(node.posted).toEqual([]);
    await pass(400);
    expect(node.postedNumbers).toEqual([12, 13, 14]);
    await pass(2000);
    expect(node.posted).toHaveLength(3);
  });
});

describe('round-robin transfers (op-conductor #18697)', () => {
  const sick = async (): Promise<void> => {
    await sequencing();
    health('too-few-peers');
    await pass(3000);
  };
  beforeEach(async () => {
    await controller.retire();
    build({ roundRobin: true });
  });

  it('RoundRobin: next in sorted order, not the best one', async () => {
    raft.peer('b').eligibility = fitPeer(50);
    raft.peer('c').eligibility = fitPeer();
    await sick();
    expect(raft.transfers).toEqual(['b']);
  });

  it('RoundRobin: goes past nodes that are no better than this one', async () => {
    raft.peer('b').eligibility = encodeEligibility(Fitness.impaired, 0);
    raft.peer('c').eligibility = fitPeer(50);
    await sick();
    expect(raft.transfers).toEqual(['c']);
  });

  it('RoundRobin: skips failing targets, and comes back to them when there is no other', async () => {
    for (const id of ['b', 'c']) raft.peer(id).eligibility = fitPeer();
    for (let i = 0; i < 3; i++)
      raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    await sick();
    expect(raft.transfers).toEqual(['b', 'c', 'b', 'b']);
  });

  it('RoundRobin: ignores non-voters', async () => {
    raft.peer('d').eligibility = fitPeer();
    await sick();
    expect(raft.transfers).toEqual([]);
  });

  it('RoundRobin: a transfer in progress counts as success', async () => {
    raft.peer('b').eligibility = fitPeer();
    raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-in-progress' });
    const told: boolean[] = [];
    controller.on('transferred', (success) => told.push(success));
    await sequencing();
    health('too-few-peers');
    await pass(10);
    expect(told).toEqual([true]);
  });

  it('does not concern conductor_transferLeader', async () => {
    raft.peer('b').eligibility = fitPeer(50);
    raft.peer('c').eligibility = fitPeer();
    await up();
    raft.lead();
    await conductor.transferLeader();
    expect(raft.transfers).toEqual(['c']);
  });

  it('hands over in turn when it is stopped', async () => {
    raft.peer('b').eligibility = fitPeer(50);
    raft.peer('c').eligibility = fitPeer();
    await sequencing();
    await controller.retire();
    expect(raft.transfers).toEqual(['b']);
  });
});

describe('transfers that do not work', () => {
  it('go to the next best after one to the best has failed', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer(3);
    raft.peer('c').eligibility = fitPeer();
    raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    health('too-few-peers');
    await pass(1000);
    expect(raft.transfers).toEqual(['c', 'b']);
  });

  it('but did, whatever was reported, are not repeated (issue #22924)', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer();
    const transfer = raft.transferLeadership.bind(raft);
    raft.transferLeadership = async (to) => {
      await transfer(to);
      return { outcome: 'unknown', reason: 'leadership transfer timeout' };
    };
    const told: boolean[] = [];
    controller.on('transferred', (success) => told.push(success));
    health('too-few-peers');
    await pass(1000);
    expect([raft.transfers, told]).toEqual([['b'], [true]]);
  });
});

describe('one bad health check', () => {
  it('is no reason to leave, but one not to come', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer();
    health('too-few-peers', { failures: 1 });
    await pass(900);
    expect([node.active, raft.transfers]).toEqual([true, []]);
    expect(raft.eligibility).toBe(encodeEligibility(Fitness.impaired, 0));
    health('too-few-peers', { failures: 2 });
    await pass(10);
    expect([node.active, raft.transfers]).toEqual([false, ['b']]);
  });
});

describe('a sequencer that cannot be started', () => {
  let refusal: Error | undefined;
  const refuseStarts = (error = new Error('sequencer is not enabled')): void => {
    refusal = error;
    const { startSequencer } = node.opNode;
    node.opNode.startSequencer = (head, options) => {
      if (refusal) node.faults.set('startSequencer', refusal);
      return startSequencer(head, options);
    };
  };

  it('gives leadership to a node as healthy after three tries, not after ten seconds', async () => {
    await up();
    refuseStarts();
    raft.peer('b').eligibility = fitPeer(5);
    raft.lead();
    await pass(1000);
    expect([node.starts.length, raft.transfers]).toEqual([3, ['b']]);
    // The next leader knows, for a while.
    await poll();
    expect(raft.eligibility).toBe(encodeEligibility(Fitness.impaired, 0));
    await pass(11_000);
    expect(raft.eligibility).toBe(fitPeer());
  });

  it('is tried on when nobody is fitter', async () => {
    await up();
    refuseStarts();
    raft.peer('b').eligibility = encodeEligibility(Fitness.impaired, 0);
    raft.lead();
    await pass(5000);
    expect(node.starts.length).toBeGreaterThan(5);
    expect(raft.transfers).toEqual([]);
  });

  it('since the node does not follow, has had its chances after one try', async () => {
    await up(8);
    node.losesPosts = Infinity;
    raft.peer('c').eligibility = fitPeer();
    raft.lead();
    await pass(3500);
    expect(raft.transfers).toEqual(['c']);
  });

  it('since op-node is never where its execution client is, has had its chances after one try', async () => {
    await up();
    refuseStarts(hashMismatch(refOf(9), hashOf(10)));
    raft.peer('b').eligibility = fitPeer();
    raft.lead();
    await pass(6500);
    expect(raft.transfers).toEqual(['b']);
  });

  it('since op-node does not answer, has had its chances after one try', async () => {
    await up();
    const timeout = { code: 'timeout', timeoutMs: 2000 } as const;
    refuseStarts(new ClientError(timeout, 'admin_startSequencer', 'http://x', 'no answer within 2000 ms'));
    raft.peer('b').eligibility = fitPeer();
    raft.lead();
    await pass(100);
    expect([node.starts.length, raft.transfers]).toEqual([1, ['b']]);
  });

  it('since op-node asks another conductor, gives leadership away, too', async () => {
    await up();
    refuseStarts(new StartRefusedError({ reason: 'not-leader' }, new Error('sequencer is not the leader')));
    raft.peer('b').eligibility = fitPeer();
    raft.lead();
    await pass(1000);
    expect([node.starts.length, raft.transfers]).toEqual([3, ['b']]);
  });

  it('may try again when it is given leadership back', async () => {
    await up();
    refuseStarts();
    raft.peer('b').eligibility = fitPeer();
    raft.lead();
    await pass(1000);
    expect(raft.transfers).toEqual(['b']);
    refusal = undefined;
    raft.follow('b');
    await poll();
    expect(raft.eligibility).toBe(encodeEligibility(Fitness.impaired, 0));
    raft.lead();
    await poll();
    expect([node.active, raft.transfers]).toEqual([true, ['b']]);
  });

  it('is forgotten as soon as it starts', async () => {
    await up();
    node.faults.set('startSequencer', new Error('busy'));
    raft.lead();
    await pass(1000);
    expect([node.active, raft.eligibility]).toEqual([true, fitPeer()]);
  });
});

describe('a chain that stands still', () => {
  it('goes round: the next node tries, not always the best one (#18845)', async () => {
    raft.peer('b').eligibility = encodeEligibility(Fitness.stale, 50);
    raft.peer('c').eligibility = encodeEligibility(Fitness.stale, 0);
    await sequencing();
    health('unsafe-head-old');
    await pass(10_500);
    expect(raft.transfers).toEqual(['b']);
  });
});

describe('what it tells those who count', () => {
  it('is every change of state, start, stop, transfer and turn', async () => {
    const told: unknown[] = [];
    controller.on('stateChanged', ({ leader, healthy, active }) =>
      told.push([leader, healthy, active].map(Number).join('')),
    );
    controller.on('sequencerStarted', (wasStopped) => told.push(`start ${wasStopped}`));
    controller.on('sequencerStopped', (wasRunning) => told.push(`stop ${wasRunning}`));
    controller.on('transferred', (success) => told.push(`transfer ${success}`));
    let turns = 0;
    controller.on('turn', () => turns++);
    await sequencing();
    raft.peer('c').eligibility = fitPeer();
    raft.transferOutcomes.push({ outcome: 'rejected', reason: 'transfer-timeout' });
    health('too-few-peers');
    await pass(1000);
    // Leader, healthy, active.
    expect(told).toEqual([
      ...['110', 'start true', '111', '101', 'stop true'],
      ...['transfer false', '000', 'transfer true'],
    ]);
    expect(turns).toBeGreaterThan(5);
  });
});

describe('successors', () => {
  it('are voters that answer; the fittest first, then the one with the most of the log', async () => {
    await sequencing();
    raft.peer('d').eligibility = fitPeer();
    raft.peer('b').eligibility = fitPeer();
    raft.peer('b').lastContactMs = 501;
    await conductor.transferLeader();
    expect(raft.transfers).toEqual(['c']);

    for (const id of ['b', 'c']) Object.assign(raft.peer(id), { lastContactMs: 10, eligibility: fitPeer() });
    raft.peer('c').matchIndex = 101;
    raft.lead();
    await conductor.transferLeader();
    expect(raft.transfers).toEqual(['c', 'c']);
  });
});

describe('what it tells the leader of itself', () => {
  it('is its fitness and its distance to the committed head; nothing while it must not act', async () => {
    expect(raft.eligibility).toBe(0);
    await up(8);
    expect(raft.eligibility).toBe(encodeEligibility(Fitness.fit, 2));
    health('unsafe-head-old');
    expect(raft.eligibility).toBe(encodeEligibility(Fitness.stale, 2));
    await conductor.pause();
    expect(raft.eligibility).toBe(0);
  });
});

describe('pause and resume', () => {
  const flags = (): unknown => [conductor.active(), conductor.paused(), conductor.stopped()];

  it('ControlLoop1 of op-conductor: pause, resume, stop', async () => {
    await up();
    expect(flags()).toEqual([true, false, false]);
    await conductor.pause();
    expect(flags()).toEqual([false, true, false]);
    raft.lead();
    health('too-few-peers');
    health('ok');
    await poll();
    expect(node.starts).toEqual([]);
    await conductor.resume();
    expect(flags()).toEqual([true, false, false]);
    await poll();
    expect(node.active).toBe(true);
    await controller.retire();
    expect(flags()).toEqual([false, false, true]);
  });

  it('ControlLoop2 of op-conductor: twice is as good as once', async () => {
    await up();
    await conductor.pause();
    await conductor.pause();
    expect(conductor.paused()).toBe(true);
    await conductor.resume();
    await conductor.resume();
    expect(conductor.paused()).toBe(false);
  });

  it('ControlLoop3 of op-conductor: pause, then stop', async () => {
    await up();
    await conductor.pause();
    await controller.retire();
    expect(flags()).toEqual([false, true, true]);
  });

  it('answers at once while an action hangs, and ends it', async () => {
    await up();
    node.faults.set('startSequencer', 'hang');
    raft.lead();
    await pass(0);
    expect(node.starts).toHaveLength(1);
    await conductor.pause();
    node.faults.clear();
    await pass(5000);
    expect([node.active, node.starts.length]).toEqual([false, 1]);
  });

  it('a paused leader stays leader, also when it is sick', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer();
    await conductor.pause();
    health('too-few-peers');
    await pass(2000);
    expect([raft.transfers, node.active, conductor.leader()]).toEqual([[], true, true]);
  });

  it('resume reads anew whether the sequencer runs', async () => {
    await sequencing();
    await conductor.pause();
    node.active = false;
    await conductor.resume();
    await pass(0);
    expect(node.starts).toHaveLength(2);
  });

  it('resume without an answer of op-node stays paused, with the text of op-conductor', async () => {
    await up();
    await conductor.pause();
    node.faults.set('sequencerActive', new Error('connection refused'));
    await expect(conductor.resume()).rejects.toMatchObject({
      message:
        'cannot resume because failed to get sequencer active status: failed to get sequencer active status: connection refused',
      code: -32000,
    });
    expect(conductor.paused()).toBe(true);
  });

  it('starts paused when it is told to, or when it founds a cluster', async () => {
    build({ paused: true });
    await up();
    raft.lead();
    await poll();
    expect([conductor.paused(), node.starts]).toEqual([true, []]);

    build();
    controller.pauseForBootstrap();
    expect(conductor.paused()).toBe(true);
  });
});

describe('transferLeader', () => {
  it('on a follower is an error', async () => {
    await expect(conductor.transferLeader()).rejects.toMatchObject({
      message: 'node is not the leader',
      reason: 'not-leader',
    });
  });

  it.each<[Outcome<object>, string]>([
    [{ outcome: 'rejected', reason: 'transfer-in-progress' }, 'leadership transfer in progress'],
    [{ outcome: 'rejected', reason: 'no-such-member', detail: 'cannot find peer' }, 'cannot find peer'],
    [
      { outcome: 'rejected', reason: 'already-leader', detail: 'whatever' },
      'cannot transfer leadership to itself',
    ],
    [
      { outcome: 'rejected', reason: 'transfer-timeout', detail: 'b did not catch up in time' },
      'b did not catch up in time',
    ],
    [{ outcome: 'unknown', reason: 'leadership transfer timeout' }, 'leadership transfer timeout'],
  ])('%j is an error of its own', async (outcome, text) => {
    raft.lead();
    raft.transferOutcomes.push(outcome);
    await expect(conductor.transferLeader()).rejects.toMatchObject({ message: text, code: -32000 });
  });

  it('is success when leadership has left in the end, whatever was reported (issue #22924)', async () => {
    raft.lead();
    const transfer = raft.transferLeadership.bind(raft);
    raft.transferLeadership = async (to) => {
      await transfer(to);
      return { outcome: 'unknown', reason: 'leadership transfer timeout' };
    };
    await conductor.transferLeader();
    expect(conductor.leader()).toBe(false);
  });
});

describe('transferLeaderToServer', () => {
  beforeEach(() => raft.lead());

  it('hands over to that member; the address may be left out', async () => {
    await conductor.transferLeaderToServer('c', 'c:50050');
    raft.lead();
    await conductor.transferLeaderToServer('b', '');
    expect(raft.transfers).toEqual(['c', 'b']);
  });

  it('on a follower is an error with the text of op-conductor', async () => {
    raft.follow('b');
    await expect(conductor.transferLeaderToServer('c', 'c:50050')).rejects.toMatchObject({
      message: 'node is not the leader',
      reason: 'not-leader',
    });
    expect(raft.transfers).toEqual([]);
  });

  it('names a server that is no member', async () => {
    await expect(conductor.transferLeaderToServer('x', 'x:1')).rejects.toMatchObject({
      message: 'cannot find replication state for x: it is not a member',
      reason: 'no-such-member',
    });
  });

  it('refuses an address that is not the one of the member', async () => {
    await expect(conductor.transferLeaderToServer('c', 'b:50050')).rejects.toThrow(
      'the address of c is c:50050, not b:50050',
    );
    expect(raft.transfers).toEqual([]);
  });
});

describe('silent transfers', () => {
  it('are answered with success by a node that does not lead, and do nothing', async () => {
    build({ silentTransfer: true });
    await up();
    await conductor.transferLeader();
    expect(raft.transfers).toEqual([]);
    await expect(conductor.transferLeaderToServer('c', 'c:50050')).rejects.toThrow('node is not the leader');
  });
});

describe('sequencerHealthy', () => {
  it('is what the checks say until the node was polled, then what both say', async () => {
    expect(conductor.sequencerHealthy()).toBe(true);
    health('ok');
    expect(conductor.sequencerHealthy()).toBe(true);
    health('too-few-peers');
    expect(conductor.sequencerHealthy()).toBe(false);
    health('ok');
    localNode.noteUnreachable('connection refused');
    expect(conductor.sequencerHealthy()).toBe(false);
    await up();
    expect(conductor.sequencerHealthy()).toBe(true);
  });
});

describe('status', () => {
  it('has the published shape at every stage, without a leader too', async () => {
    raft.leaderId = null;
    const unborn = conductorStatusSchema.parse(conductor.status());
    expect(unborn).toMatchObject({
      id: 'a',
      version: 'v1.2.3',
      rpcPort: 8545,
      clusterId: 'c1',
      role: 'follower',
      leader: null,
      leaseRemainingMs: null,
      peers: [],
      head: { number: 10 },
      node: { reachable: false, head: null, lagBlocks: null, sequencerActive: null },
      health: { status: 'unknown', reasons: [], checkedAtMs: null },
      active: true,
    });
    expect(unborn.node.reason).not.toBe('');
  });

  it('tells of the cluster, the node and its health', async () => {
    await up(8);
    raft.peers[0] = { ...raft.peers[0]!, state: 'probe', matchIndex: 0, lastContactMs: 1234.5 };
    raft.peers[1] = { ...raft.peers[1]!, eligibility: fitPeer() };
    raft.lead();
    health('too-few-peers');
    await conductor.pause();
    conductor.overrideLeader(true);
    const status = conductorStatusSchema.parse(conductor.status());
    const { lastIndex } = raft.status();
    expect(status).toMatchObject({
      role: 'leader',
      leader: { id: 'a', addr: 'a:50050' },
      membership: {
        version: 42,
        servers: [{ id: 'a', addr: 'a:50050', suffrage: 0 }, {}, {}, { id: 'd', suffrage: 1 }],
      },
      peers: [
        {
          id: 'b',
          addr: 'b:50050',
          suffrage: 0,
          state: 'probe',
          lagEntries: lastIndex,
          lastContactMs: 1235,
          fitness: 'unfit',
        },
        { id: 'c', fitness: 'fit' },
        { id: 'd', suffrage: 1 },
      ],
      node: { reachable: true, reason: '', head: { number: 8 }, lagBlocks: 2 },
      health: {
        status: 'unhealthy',
        summary: 'it is too-few-peers',
        reasons: [{ code: 'too-few-peers', severity: 'unhealthy', message: 'it is too-few-peers' }],
      },
      active: false,
      paused: true,
      leaderOverridden: true,
    });
    expect(status.leaseRemainingMs).not.toBeNull();
  });
});

describe('clusterStatus', () => {
  it('has every member, with its status or the reason why there is none', async () => {
    const other = { ...conductor.status(), id: 'b' };
    memberStatus.set('b:50050', { nodeId: 'b', status: other });
    memberStatus.set('c:50050', { nodeId: 'x', status: { ...other, id: 'x' } });
    memberStatus.set('d:50050', { nodeId: 'd' });
    const { answeredBy, members } = clusterStatusSchema.parse(await conductor.clusterStatus());
    expect(answeredBy).toBe('a');
    expect(members.map(({ id, suffrage, status, error }) => [id, suffrage, status?.id, error])).toEqual([
      ['a', 0, 'a', ''],
      ['b', 0, 'b', ''],
      ['c', 0, undefined, 'the node at c:50050 is x'],
      ['d', 1, undefined, 'the node at d:50050 runs a version whose status cannot be read'],
    ]);
    memberStatus.clear();
    const alone = await conductor.clusterStatus();
    expect(alone.members[1]).toMatchObject({ id: 'b', status: null, error: 'b:50050 is not there' });
  });
});

describe('latestUnsafePayload', () => {
  it('is the committed head, wherever this node stands in the cluster', async () => {
    expect(await conductor.latestUnsafePayload()).toEqual(payloadOf(refOf(10)).ssz);
    chain.reset(undefined);
    expect(await conductor.latestUnsafePayload()).toBeNull();
  });
});

describe('the end', () => {
  it('conductor_stop answers before anything ends', async () => {
    let requested = 0;
    conductor.on('stopRequested', () => (requested += 1));
    await conductor.stop();
    expect(requested).toBe(0);
    await pass(1);
    expect(requested).toBe(1);
  });

  it('stops the sequencer while it still leads, then hands over to the fittest', async () => {
    await sequencing();
    raft.peer('c').eligibility = fitPeer();
    let ledAtStop: boolean | undefined;
    let committedAtStop = false;
    const { stopSequencer } = node.opNode;
    node.opNode.stopSequencer = async (options) => {
      ledAtStop = conductor.leader();
      // op-node ends its last block, which must still get committed.
      await conductor.commitUnsafePayload(payloadOf(refOf(11)));
      committedAtStop = chain.head?.number === 11;
      return stopSequencer(options);
    };
    await controller.retire();
    expect([ledAtStop, committedAtStop, node.active]).toEqual([true, true, false]);
    expect(raft.transfers).toEqual(['c']);
    expect(raft.eligibility).toBe(0);
  });

  it('hands over although op-node hangs', async () => {
    await sequencing();
    raft.peer('b').eligibility = fitPeer();
    node.faults.set('stopSequencer', 'hang');
    const retired = controller.retire();
    await pass(2000);
    await retired;
    expect(raft.transfers).toEqual(['b']);
  });

  it('leaves a paused sequencer alone', async () => {
    await sequencing();
    await conductor.pause();
    await controller.retire();
    expect(node.active).toBe(true);
  });

  it('has nothing to hand over as a follower', async () => {
    await up();
    await controller.retire();
    expect(raft.transfers).toEqual([]);
  });

  it('decides nothing any more', async () => {
    await up();
    await controller.retire();
    raft.lead();
    await pass(2000);
    expect(node.starts).toEqual([]);
  });

  it('ends an action under way', async () => {
    await up();
    node.faults.set('startSequencer', 'hang');
    raft.lead();
    await pass(0);
    await controller.retire();
    await pass(5000);
    expect(node.starts).toHaveLength(1);
    expect(raft.transfers).toHaveLength(1);
  });
});
