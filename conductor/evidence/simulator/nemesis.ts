import { DiskFaults } from './disk-faults.js';
import type { CallFault } from './node/call-faults.js';
import type { Machine } from './machine.js';
import type { FaultName } from './options.js';
import { rememberedDepth } from './remembered-depth.js';
import type { World } from './world.js';

/** Slowest of the slow links. */
const SLOW_BYTES_PER_MS = 20;
/** Minimum time for an execution client to come back. */
const RESTART_MIN_MS = 600;
/** Minimum time between two unreported rewinds of clients. */
const REWIND_PAUSE_MS = 60_000;
/** How often an operator looks for conductors that are still paused after the faults. */
const RESUME_EVERY_MS = 1000;
const CALL_FAULTS = ['hang', 'fail', 'mute'] as const satisfies readonly CallFault[];
/** Faults of op-node or the execution client, or that need them. */
const OF_NODES: ReadonlySet<FaultName> = new Set([
  'killOpNode',
  'killExecution',
  'rewindExecution',
  'gossipCut',
  'badStop',
  'badStart',
  'frozenNode',
  'stuckLoop',
  'estrange',
  'stranger',
  'override',
]);
const NODE_METHODS = [
  'admin_sequencerActive',
  'admin_startSequencer',
  'admin_stopSequencer',
  'admin_postUnsafePayload',
  'optimism_syncStatus',
  'opp2p_peerStats',
];

/** Breaks things at random, each for a while. */
export class Nemesis {
  private striking = false;
  private rewoundMs = -Infinity;
  private readonly disks: DiskFaults;

  constructor(private readonly world: World) {
    this.disks = new DiskFaults(world);
  }

  begin(): void {
    this.striking = true;
    this.strikeLater();
  }

  /** Starts no new faults and ends the current ones. */
  heal(): void {
    const { world } = this;
    this.striking = false;
    world.raftLinks.mendAll();
    world.gossipLinks.mendAll();
    for (const machine of world.machines) {
      this.repair(machine);
      this.keepResumed(machine);
    }
    this.resumeCluster();
    this.leaveBroken();
    world.calmSinceMs = world.nowMs;
    world.note('world', 'all faults are over');
  }

  private leaveBroken(): void {
    const { world } = this;
    const { staysBroken } = world.options;
    const leader = world.leader ?? world.machines.at(0);
    const machine = staysBroken === 'op-node' && leader?.isWitness ? world.machines.at(0) : leader;
    // A paused conductor would stay paused, because it is resumed only when its op-node answers.
    // A cluster tolerates one missing node.
    if (!machine || staysBroken === 'nothing' || world.impaired.size > 0 || machine.conductor?.isPaused)
      return;
    world.count(`stays broken: ${staysBroken}`);
    world.note(machine.nodeId, `stays broken: ${staysBroken}`);
    world.impaired.add(machine);
    if (staysBroken === 'machine') machine.killMachine(0);
    if (staysBroken === 'op-node') for (const method of NODE_METHODS) machine.faults.set(method, 'hang');
    if (staysBroken === 'large messages') {
      for (const { nodeId } of this.others(machine)) world.raftLinks.swallowLarge(machine.nodeId, nodeId);
    }
  }

  private repair(machine: Machine): void {
    machine.faults.clearAll();
    machine.diskDelayMs = 0;
    machine.conductor?.conductor.overrideLeader(false);
    machine.startExecution();
    machine.startOpNode(false);
    void machine.startConductor();
    const { conductor } = machine;
    if (conductor?.isPaused) void conductor.conductor.resume().catch(() => undefined);
  }

  /** Like an operator who learns that op-node does not answer. */
  private resumeLater(machine: Machine): void {
    this.world.clock.after(1000, () => {
      const { conductor } = machine;
      if (conductor?.isPaused) void conductor.conductor.resume().catch(() => this.resumeLater(machine));
    });
  }

  /** Looks until the end: a conductor that was away, or has an empty disk, finds the pause of its member in the log later. */
  private keepResumed(machine: Machine): void {
    this.world.clock.after(RESUME_EVERY_MS, () => {
      const { conductor } = machine;
      if (conductor?.isPaused) void conductor.conductor.resume().catch(() => undefined);
      this.keepResumed(machine);
    });
  }

  /** Whoever leads has it recorded; asked until no node knows of a pause. */
  private resumeCluster(): void {
    const { machines, leader, clock } = this.world;
    if (!machines.some(({ conductor }) => conductor?.knowsClusterPause)) return;
    void leader?.conductor?.conductor.endPause({ member: null }).catch(() => undefined);
    clock.after(1000, () => this.resumeCluster());
  }

  private strikeLater(): void {
    const { clock, rng, options } = this.world;
    clock.after(rng.exponential(options.faults.meanIntervalMs), () => {
      if (!this.striking) return;
      this.strike();
      this.strikeLater();
    });
  }

  private strike(): void {
    const { rng, options } = this.world;
    const weights = Object.entries(options.faults.weights) as [FaultName, number][];
    let draw = rng.next() * weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of weights) {
      if (draw < weight) return this.cause(name, this.victim(OF_NODES.has(name)));
      draw -= weight;
    }
  }

  private cause(name: FaultName, machine: Machine): void {
    this.world.count(`fault: ${name}`);
    this.world.note(machine.nodeId, `FAULT ${name}`);
    this.world.faulted();
    this.faults[name](machine);
  }

  private victim(mustHaveNode: boolean): Machine {
    const { rng, options, leader } = this.world;
    const machines = this.world.machines.filter(({ isWitness }) => !(mustHaveNode && isWitness));
    if (leader && rng.chance(options.faults.leaderBias) && machines.includes(leader)) return leader;
    return machines[rng.int(0, machines.length - 1)] as Machine;
  }

  private readonly faults: Readonly<Record<FaultName, (machine: Machine) => void>> = {
    killConductor: (machine) => {
      machine.killConductor();
      this.later(this.shortOrLong(), () => void machine.startConductor());
    },
    restartConductor: (machine) => {
      void machine.retireConductor().then(() => {
        // This may take until after the faults.
        if (this.striking) this.later(this.shortOrLong(), () => void machine.startConductor());
        else void machine.startConductor();
      });
    },
    killOpNode: (machine) => {
      machine.killOpNode();
      this.later(this.shortOrLong(), () => this.startOpNode(machine));
    },
    killExecution: (machine) => this.killExecution(machine),
    rewindExecution: (machine) => this.rewind(machine),
    killMachine: (machine) => this.killMachine(machine, this.losable(machine, this.world.rng.int(0, 4))),
    killAll: () => {
      for (const machine of this.world.machines) this.killMachine(machine, 0);
    },
    partition: (machine) => this.partition(machine),
    swallowLarge: (machine) => {
      const { raftLinks } = this.world;
      for (const other of this.someOthers(machine)) raftLinks.swallowLarge(machine.nodeId, other.nodeId);
      this.mendLinksLater();
    },
    slowLink: (machine) => {
      const { raftLinks } = this.world;
      for (const other of this.someOthers(machine)) {
        raftLinks.slowDown(machine.nodeId, other.nodeId, SLOW_BYTES_PER_MS);
      }
      this.mendLinksLater();
    },
    gossipCut: (machine) => this.cutGossip(machine, this.durationMs()),
    badStop: (machine) => this.spoilCalls(machine, ['admin_stopSequencer'], this.durationMs()),
    badStart: (machine) => this.spoilCalls(machine, ['admin_startSequencer'], this.durationMs()),
    frozenNode: (machine) => {
      for (const method of NODE_METHODS) machine.faults.set(method, 'hang');
      this.clearLater(machine, NODE_METHODS, this.durationMs());
    },
    stuckLoop: (machine) => machine.opNode?.standStill(this.durationMs()),
    transfer: (machine) => this.transfer(machine),
    pause: (machine) => {
      const { conductor } = machine;
      void conductor?.conductor.pause();
      this.later(this.durationMs(), () => {
        if (conductor?.isPaused && machine.conductor === conductor) this.resumeLater(machine);
      });
    },
    pauseCluster: (machine) => {
      const { rng, leader } = this.world;
      const forMs = rng.chance(0.6) ? Math.ceil(this.durationMs()) : null;
      const asked = (leader ?? machine).conductor?.conductor.beginPause({ member: null, forMs });
      void asked?.catch(() => undefined);
      if (forMs === null) this.later(this.durationMs(), () => this.resumeCluster());
    },
    l1Reorg: () => {
      const depth = rememberedDepth(this.world, this.world.rng.int(1, 6));
      if (depth > 0) this.world.reorgL1(depth);
    },
    estrange: (machine) => this.estrange(machine),
    stranger: (machine) => this.world.commitOfStranger(machine),
    newConnectionsLost: (machine) => {
      const { raftLinks } = this.world;
      this.bothWays(machine, (from, to) => raftLinks.loseNew(from, to));
      this.mendLinksLater();
    },
    falseEvidence: (machine) => {
      const { raftLinks, network, rng } = this.world;
      const isRefused = rng.chance(0.5);
      this.bothWays(machine, (from, to) => {
        if (isRefused) raftLinks.refuseNew(from, to);
        else raftLinks.loseNew(from, to);
        network.breakConnections(from, to);
      });
      this.mendLinksLater();
    },
    grayDisk: (machine) => {
      machine.diskDelayMs = this.world.rng.pick([30, 200, 1500, 5000]);
      this.later(this.durationMs(), () => (machine.diskDelayMs = 0));
    },
    diskGoesBack: (machine) => void this.disks.goBack(this.standby(machine), this.durationMs()),
    diskCopied: (machine) => void this.disks.runCopy(machine, this.durationMs()),
    diskReplaced: (machine) => void this.disks.replaceHealthy(this.standby(machine)),
    override: (machine) => {
      const { conductor } = machine;
      conductor?.conductor.overrideLeader(true);
      this.later(this.durationMs(), () => conductor?.conductor.overrideLeader(false));
    },
  };

  private killMachine(machine: Machine, lostBlocks: number): void {
    machine.killMachine(lostBlocks);
    this.later(RESTART_MIN_MS + this.shortOrLong(), () => {
      machine.startExecution();
      this.startOpNode(machine);
      void machine.startConductor();
    });
  }

  private startOpNode(machine: Machine): void {
    machine.startOpNode(this.world.rng.chance(this.world.options.node.activeAtStartChance));
  }

  /** Like a killed geth, it comes back some blocks behind. */
  private killExecution(machine: Machine): void {
    machine.execution.kill(this.losable(machine, this.world.rng.int(0, 5)));
    // The conductor notices, because no client is back between two polls.
    this.later(RESTART_MIN_MS + this.shortOrLong(), () => machine.startExecution());
  }

  /** Only blocks that other nodes have, or that the log certainly restores: nothing else in this world has them. */
  private losable(machine: Machine, count: number): number {
    const { blocks, ledger, options } = this.world;
    const { head } = machine;
    if (this.others(machine).some((other) => !other.isWitness && blocks.isOn(other.head, head))) return count;
    const lowest =
      (ledger.lastApplied?.head?.number ?? 0) - Math.floor(options.conductor.retainedEntries / 2);
    return Math.min(count, Math.max(0, head.number - Math.max(options.past.height, lowest)));
  }

  /** By an operator's command, one client at a time. */
  private rewind(machine: Machine): void {
    const { rng, nowMs } = this.world;
    if (nowMs - this.rewoundMs < REWIND_PAUSE_MS) return;
    this.rewoundMs = nowMs;
    machine.execution.lose(this.losable(machine, rng.int(1, 5)));
  }

  /** One node is cut off, in one direction or both, and perhaps from gossip as well. */
  private partition(machine: Machine): void {
    const { rng, raftLinks } = this.world;
    const shape = rng.pick(['deaf', 'mute', 'both', 'both']);
    for (const other of this.someOthers(machine)) {
      if (shape !== 'deaf') raftLinks.cutLink(machine.nodeId, other.nodeId);
      if (shape !== 'mute') raftLinks.cutLink(other.nodeId, machine.nodeId);
    }
    const durationMs = this.durationMs();
    if (rng.chance(0.5)) this.cutGossip(machine, durationMs);
    this.mendLinksLater(durationMs);
  }

  private cutGossip(machine: Machine, forMs: number): void {
    const { gossipLinks } = this.world;
    const others = this.others(machine);
    for (const other of others) {
      gossipLinks.cutLink(machine.nodeId, other.nodeId);
      gossipLinks.cutLink(other.nodeId, machine.nodeId);
    }
    this.later(forMs, () => {
      for (const other of others) {
        gossipLinks.mendLink(machine.nodeId, other.nodeId);
        gossipLinks.mendLink(other.nodeId, machine.nodeId);
      }
    });
  }

  private spoilCalls(machine: Machine, methods: readonly string[], forMs: number): void {
    const fault = this.world.rng.pick(CALL_FAULTS);
    for (const method of methods) machine.faults.set(method, fault);
    this.clearLater(machine, methods, forMs);
  }

  private clearLater(machine: Machine, methods: readonly string[], forMs: number): void {
    this.later(forMs, () => {
      for (const method of methods) machine.faults.clear(method);
    });
  }

  private transfer(machine: Machine): void {
    const { leader, rng } = this.world;
    const target = rng.chance(0.5) ? machine.nodeId : undefined;
    const { conductor } = leader ?? machine;
    const asked = target
      ? conductor?.conductor.transferLeaderToServer(target, '')
      : conductor?.conductor.transferLeader();
    void asked?.catch(() => undefined);
  }

  /**
   * The leader's op-node cannot be stopped and gets no gossip, as when its event loop hangs. Leadership moves away and
   * comes back meanwhile.
   */
  private estrange(machine: Machine): void {
    const forMs = 2 * this.durationMs();
    this.cutGossip(machine, forMs);
    machine.faults.set('admin_stopSequencer', 'fail');
    this.clearLater(machine, ['admin_stopSequencer'], forMs);
    this.transfer(this.others(machine)[0] ?? machine);
    this.later(forMs / 2, () => this.transfer(machine));
  }

  private bothWays(machine: Machine, run: (from: string, to: string) => void): void {
    for (const { nodeId } of this.someOthers(machine)) {
      run(machine.nodeId, nodeId);
      run(nodeId, machine.nodeId);
    }
  }

  private mendLinksLater(afterMs = this.durationMs()): void {
    this.later(afterMs, () => this.world.raftLinks.mendAll());
  }

  /** The machine, or another one if this leads. */
  private standby(machine: Machine): Machine {
    return machine.leads ? (this.others(machine)[0] ?? machine) : machine;
  }

  private others(machine: Machine): Machine[] {
    return this.world.machines.filter((other) => other !== machine);
  }

  /** All others, or one of them. */
  private someOthers(machine: Machine): Machine[] {
    const { rng } = this.world;
    const others = this.others(machine);
    const one = rng.pick(others);
    return one && rng.chance(0.4) ? [one] : others;
  }

  /** During the faults. `heal` repairs what is broken at their end. */
  private later(afterMs: number, run: () => void): void {
    this.world.clock.after(afterMs, () => {
      if (this.striking) run();
    });
  }

  private durationMs(): number {
    const { rng, options } = this.world;
    return rng.exponential(options.faults.meanDurationMs);
  }

  /** A restarted process comes back before anybody notices, or much later. */
  private shortOrLong(): number {
    const { rng } = this.world;
    return rng.chance(0.4) ? rng.between(5, 300) : this.durationMs();
  }
}
