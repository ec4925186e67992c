import type { CoreEvent } from '../../../core/outputs.js';
import type { TraceEvent } from '../../simulator/describe-event.js';
import { honestHost, type CoreHost } from '../../simulator/core-host.js';
import type { ClusterOptions } from './calm-options.js';
import type { Rule } from './messages.js';
import type { ScenarioNode } from './node.js';
import { ScenarioNetwork } from './scenario-network.js';
import { ScenarioWorld } from './world.js';

/** More steps than any wait of a scenario takes. A core in an endless loop reaches this. */
const STEPS_MAX = 3_000;
/** Long enough for anything except an election: a commit takes about 4 ms, a heartbeat comes every 50 ms. */
const SETTLE_MS = 20;

/** Events in a report of a scenario that fails. */
const EVENTS_REPORTED = 40;

/** A cluster of real cores. Its network, disks and clocks do what the scenario says. */
export class ScenarioCluster extends ScenarioNetwork {
  constructor(options: ClusterOptions = {}, coreHost: CoreHost = honestHost) {
    super(new ScenarioWorld(options, coreHost));
    if (!options.stopped) for (const node of this.nodes) node.start();
    this.settle();
  }

  get a(): ScenarioNode {
    return this.world.nodeOf('n1');
  }
  get b(): ScenarioNode {
    return this.world.nodeOf('n2');
  }
  get c(): ScenarioNode {
    return this.world.nodeOf('n3');
  }
  get d(): ScenarioNode {
    return this.world.nodeOf('n4');
  }
  get e(): ScenarioNode {
    return this.world.nodeOf('n5');
  }

  /** The nodes that believe they lead. */
  get leaders(): ScenarioNode[] {
    return this.nodes.filter((node) => node.leads);
  }

  /** Commands that the cluster has committed, according to the simulator's ledger. */
  get committed(): string[] {
    const found: string[] = [];
    for (let index = 1; index <= this.world.ledger.lastIndex; index++) {
      const entry = this.world.ledger.at(index);
      if (entry?.kind === 'command') found.push(new TextDecoder().decode(entry.data.subarray(4)));
    }
    return found;
  }

  get nowMs(): number {
    return this.world.queue.nowMs;
  }

  wait(ms: number): void {
    const { queue } = this.world;
    let reached = false;
    queue.after(ms, () => (reached = true));
    this.run(() => reached);
  }

  /** Waits until messages in flight and current writes have ended. */
  settle(): void {
    this.wait(SETTLE_MS);
  }

  /** Waits for a condition. @returns how long that took, in ms */
  until(condition: () => boolean, what: string, withinMs = 5000): number {
    const { queue } = this.world;
    const startMs = queue.nowMs;
    this.run(() => {
      if (queue.nowMs - startMs > withinMs) throw new Error(`${what}: not within ${withinMs} ms`);
      return condition();
    });
    return queue.nowMs - startMs;
  }

  private run(done: () => boolean): void {
    const stepsMax = this.world.steps + STEPS_MAX;
    while (!done()) {
      if (this.world.steps > stepsMax) throw new Error('the cores are busy without end');
      if (!this.world.queue.runNext()) throw new Error('nothing happens any more');
    }
  }

  /** Makes this node win the next election. No other node stands meanwhile. */
  elect(node: ScenarioNode): ScenarioNode {
    const rivals = this.nodes.filter((other) => other !== node);
    const silence = this.lose(['preVote', 'vote'], { from: rivals });
    this.until(() => node.isReady, `${node.id} leads`);
    silence.end();
    this.settle();
    return node;
  }

  /** Makes both candidates of the same term. Their vote requests are held back. */
  duel(one: ScenarioNode, other: ScenarioNode): Rule {
    const rivals = this.nodes.filter((node) => node !== one && node !== other);
    const silence = this.lose('preVote', { from: rivals });
    const promises = this.hold('preVoteResponse');
    const votes = this.hold('vote');
    // If two nodes ask at once, one waits. The answers are late enough for it to ask again.
    const bothAsk = (): boolean => one.asksForPreVotes && other.asksForPreVotes;
    do {
      this.until(bothAsk, 'both ask for pre-votes');
      this.settle();
    } while (!bothAsk());
    promises.release();
    this.until(() => one.role === 'candidate' && other.role === 'candidate', 'both are candidates', 100);
    this.settle();
    silence.end();
    return votes;
  }

  /** Events of one type on one node, or on all. */
  eventsOf<T extends CoreEvent['type']>(type: T, node?: ScenarioNode): Extract<CoreEvent, { type: T }>[] {
    return this.world.events
      .filter(({ node: id, event }) => event.type === type && (!node || node.id === id))
      .map(({ event }) => event as Extract<CoreEvent, { type: T }>);
  }

  /** What has happened since the beginning. */
  get story(): readonly TraceEvent[] {
    return this.world.trace.events();
  }

  /** The latest events, for a report. */
  get lastEvents(): readonly string[] {
    return this.world.trace.lines(EVENTS_REPORTED);
  }
}
