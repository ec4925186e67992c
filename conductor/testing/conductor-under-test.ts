import { expect, jest } from '@jest/globals';
import type { HealthCode, HealthReason, HealthReport } from '../../health/health-report.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { AskStatus } from '../api/cluster-status.js';
import { Conductor } from '../api/conductor.js';
import { nodeStatus } from '../api/node-status.js';
import { voterReports } from '../api/voter-reports.js';
import { ChainState } from '../chain/chain-state.js';
import { ClusterRecords } from '../chain/cluster-records.js';
import { HeadResetter } from '../commit/head-resetter.js';
import type { ResetRequest } from '../chain/reset.js';
import { PayloadCommitter } from '../commit/payload-committer.js';
import { Turns } from '../commit/turns.js';
import { BlockRhythm } from '../control/block-rhythm.js';
import { Controller } from '../control/controller.js';
import { encodeEligibility, Fitness } from '../control/eligibility.js';
import { LocalNode } from '../control/local-node.js';
import { Succession } from '../control/succession.js';
import { Switches } from '../control/switches.js';
import { chainOf, recordOf, refOf, silent } from './chain.js';
import { MaintenanceService } from '../maintenance/maintenance-service.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import { FakeNode, historyOf } from './fake-node.js';
import { FakeRaft } from './fake-raft.js';
import { virtualSleep } from './virtual-sleep.js';
import { pass } from './virtual-time.js';

/** Pause between two polls of the local node. */
export const POLL_MS = 250;

/** Lets the local node be polled once more. */
export const poll = (): Promise<void> => pass(POLL_MS);

/** What a healthy peer that misses so many blocks tells the leader of itself. */
export const fitPeer = (lag = 0): number => encodeEligibility(Fitness.fit, lag);

interface Options {
  paused?: boolean;
  silentTransfer?: boolean;
  roundRobin?: boolean;
  /** It has no node; whatever the fake one is asked is a mistake. */
  witness?: boolean;
}

const underTest = new Set<ConductorUnderTest>();

/** A conductor in virtual time, beside a fake node at block 5; blocks 5 to 10 are committed. */
export function conductorUnderTest(options: Options = {}): ConductorUnderTest {
  const created = new ConductorUnderTest(options);
  underTest.add(created);
  return created;
}

/** To be called after each test. */
export async function endConductors(): Promise<void> {
  for (const one of underTest) await one.end();
  underTest.clear();
  jest.clearAllTimers();
}

/** One node's conductor with its controller, and the fakes around them. */
export class ConductorUnderTest {
  readonly chain = new ChainState();
  readonly raft = new FakeRaft(this.chain);
  readonly node = new FakeNode([refOf(5)]);
  /** Whether op-node was told to publish without its conductor. */
  readonly override: { sinceMs: number | null; isLooking: boolean } = { sinceMs: null, isLooking: false };
  /** Operators have decided so, as the log has it. */
  readonly records = new ClusterRecords();
  readonly localNode: LocalNode;
  readonly controller: Controller;
  readonly conductor: Conductor;
  /** Changes of the membership that were asked for. */
  readonly membershipCalls: unknown[][] = [];
  /** What other members say of themselves, by address. */
  readonly memberStatus = new Map<string, { nodeId: string; status?: unknown }>();
  /** What the committed head was asked to be taken back to. */
  readonly resets: ResetRequest[] = [];
  /** Records of other members that were to be put into the log. */
  readonly recorded: unknown[] = [];
  /** What is in the log is known here. */
  knowsLog = true;
  private report: HealthReport | null = null;

  constructor({ paused = false, silentTransfer = false, roundRobin = false, witness = false }: Options) {
    const { chain, raft, node } = this;
    for (const { number } of chainOf(5, 10)) raft.commit(refOf(number));
    const { opNode, execution } = node;
    const history = historyOf(chain);
    const rhythm = new BlockRhythm(chain);
    raft.on('applied', () => rhythm.committed(performance.now()));
    const localNode = new LocalNode({
      ...{ opNode, execution, history },
      isAbsent: witness,
      override: this.override,
      isBlockOverdue: () => rhythm.isOverdue(performance.now()),
      pollIntervalMs: POLL_MS,
      timeoutMs: 1000,
    });
    const switches = new Switches({ paused });
    const machine = { records: this.records, appliedIndex: 0 };
    const succession = new Succession({ raft, roundRobin, peerTimeoutMs: () => 500 });
    const askStatus: AskStatus = async (address) => {
      const found = this.memberStatus.get(address);
      if (found === undefined) throw new Error(`${address} is not there`);
      return found;
    };
    const health = { latest: () => this.report, probeNow: () => undefined };
    const controller = new Controller({
      ...{ raft, chain, history, opNode, execution, localNode, health, succession, switches },
      isHalted: () => this.records.maintenance.halt !== null,
      progressGraceMs: 3000,
      stuckAfterMs: 10_000,
      callTimeoutMs: 10_000,
      catchUpTimeoutMs: 3000,
      handBack: { afterMs: 60_000, intervalMs: 600_000 },
      priority: 0,
      knowsLog: () => this.knowsLog,
      askVoters: () => voterReports(status(), askStatus),
      resetHead: async (request) => {
        this.resets.push(request);
        raft.reset(request.to);
      },
      sleep: virtualSleep,
      logger: silent,
    });
    const identity = { version: 'v1.2.3', rpcPort: () => 8545, doubted: () => [] };
    const surroundings = {
      measured: () => ({ roundTripMs: 1.5, syncMs: undefined, latenessMs: undefined }),
      machine: () => ({ clockMs: 1_700_000_000_000, storage: null }),
      chainId: () => 901,
    };
    const status = (): ConductorStatus =>
      nodeStatus({
        ...{ raft, chain, localNode, health, switches, controller },
        ...{ records: machine.records, ...identity, ...surroundings },
      });
    const committing = { log: raft, chain, turns: new Turns(), logger: silent };
    this.conductor = new Conductor({
      ...{ raft, chain, history, controller, succession, switches, status, silentTransfer },
      committer: new PayloadCommitter({
        ...committing,
        localChain: execution,
        firstBlockRefusal: () => controller.firstBlockRefusal,
      }),
      resetter: new HeadResetter(committing),
      maintenance: new MaintenanceService({
        ...{ nodeId: 'a', machine, controller, switches, sleep: virtualSleep, logger: silent },
        recorder: { record: () => Promise.reject(new RpcError('nobody leads', { reason: 'no-leader' })) },
        isReadyLeader: () => raft.isReadyLeader,
      }),
      recorder: {
        propose: async (record) => void this.recorded.push(record),
        record: async (draft) => {
          this.recorded.push(draft);
          return recordOf('r1', draft);
        },
      },
      localChain: execution,
      membership: this.membership,
      askStatus,
      clusterHistory: {
        since: (sinceMs) => ({ schemaVersion: 1, answeredBy: `since ${sinceMs}`, entries: [] }),
      },
      logger: silent,
    });
    this.localNode = localNode;
    this.controller = controller;
  }

  /** The health monitor reports this. */
  health(code: HealthCode | 'ok', change: Partial<HealthReason> = {}): void {
    const reason = { check: 'sync-status', code, severity: 'unhealthy', message: `it is ${code}`, ...change };
    const reasons = code === 'ok' ? [] : [reason as HealthReason];
    const status = reasons[0]?.severity ?? 'healthy';
    const healthy = status !== 'unhealthy';
    this.report = { healthy, status, reasons, summary: `it is ${code}`, checkedAtMs: 0 };
    this.controller.healthChanged(this.report);
  }

  /** The node has blocks up to here, and the conductor knows it, healthy. */
  async up(height = 10): Promise<void> {
    const { node } = this;
    node.gossip(...chainOf(node.head.number + 1, height).map(({ number }) => refOf(number)));
    this.localNode.start();
    await pass(0);
    this.health('ok');
    await pass(0);
  }

  /** A healthy node that leads and sequences. */
  async sequencing(): Promise<void> {
    await this.up();
    this.raft.lead();
    await poll();
    expect(this.node.active).toBe(true);
  }

  /** Whether the local sequencer runs, and to whom leadership was transferred. */
  get outcome(): { active: boolean; transfers: readonly (string | undefined)[] } {
    return { active: this.node.active, transfers: this.raft.transfers };
  }

  async end(): Promise<void> {
    this.node.faults.clear();
    await this.controller.retire();
    await this.localNode.stop();
  }

  private get membership() {
    const note =
      (name: string) =>
      async (...args: unknown[]): Promise<void> =>
        void this.membershipCalls.push([name, ...args]);
    return {
      add: note('add'),
      demote: note('demote'),
      remove: note('remove'),
      replace: note('replace'),
      setTiming: note('setTiming'),
    };
  }
}
