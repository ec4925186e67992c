import type { Message } from '../../../core/messages.js';
import type { CoreEvent } from '../../../core/outputs.js';
import type { TraceEvent } from '../../simulator/describe-event.js';
import { faithfulHosting, type Hosting } from '../../simulator/hosting.js';
import type { ClusterOptions } from './calm-options.js';
import { Rule, type Filter, type Party } from './messages.js';
import type { ScenarioNode } from './node.js';
import { ScenarioWorld } from './world.js';

/** More steps than any wait of a scenario takes: a core that is busy without end gets there. */
const STEPS_MAX = 3_000;
/** Long enough for anything but an election: a commit takes about 4 ms, a heartbeat comes every 50 ms. */
const SETTLE_MS = 20;

/** Events in a report of a scenario that fails. */
const EVENTS_REPORTED = 40;

/** A cluster of real cores whose network, disks and clocks do what the scenario says. */
export class ScenarioCluster {
  private readonly world: ScenarioWorld;

  constructor(options: ClusterOptions = {}, hosting: Hosting = faithfulHosting) {
    this.world = new ScenarioWorld(options, hosting);
    if (!options.stopped) for (const node of this.nodes) node.start();
    this.settle();
  }

  get nodes(): readonly ScenarioNode[] {
    return this.world.actors;
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

  /** Those who believe to lead. */
  get leaders(): ScenarioNode[] {
    return this.nodes.filter((node) => node.leads);
  }

  /** Commands that the cluster has committed, by the record that no node sees. */
  get committed(): string[] {
    const found: string[] = [];
    for (let index = 1; index <= this.world.ledger.lastIndex; index++) {
      const entry = this.world.ledger.at(index);
      if (entry?.kind === 'command') found.push(new TextDecoder().decode(entry.data.subarray(4)));
    }
    return found;
  }

  // ------------------------------------------------------------ time

  get nowMs(): number {
    return this.world.queue.nowMs;
  }

  wait(ms: number): void {
    const { queue } = this.world;
    let reached = false;
    queue.after(ms, () => (reached = true));
    this.run(() => reached);
  }

  /** Messages and writes under way come to their ends. */
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

  // ------------------------------------------------------------ elections

  /** This node wins the next election; nobody else stands meanwhile. */
  elect(node: ScenarioNode): ScenarioNode {
    const rivals = this.nodes.filter((other) => other !== node);
    const silence = this.lose(['preVote', 'vote'], { from: rivals });
    this.until(() => node.isReady, `${node.id} leads`);
    silence.end();
    this.settle();
    return node;
  }

  /** Both become candidates of the same term; the votes that they ask for are held back. */
  duel(one: ScenarioNode, other: ScenarioNode): Rule {
    const rivals = this.nodes.filter((node) => node !== one && node !== other);
    const silence = this.lose('preVote', { from: rivals });
    const promises = this.hold('preVoteResponse');
    const votes = this.hold('vote');
    // One of two that ask at once makes way for the other; the answers are late enough for it to ask again.
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

  // ------------------------------------------------------------ network

  /** `partition(a).from(b, c)`: nothing passes between them, in either direction. */
  partition(...side: ScenarioNode[]): { from(...others: ScenarioNode[]): void } {
    return {
      from: (...others) => {
        for (const node of side) for (const other of others) this.cutBetween(node, other);
      },
    };
  }

  /** Nothing passes between this node and any other. */
  isolate(node: ScenarioNode): void {
    for (const other of this.nodes) if (other !== node) this.cutBetween(node, other);
  }

  /** `silence(a).towards(b)`: what a sends to b is lost; b is heard by a. */
  silence(node: ScenarioNode): { towards(...others: ScenarioNode[]): void } {
    return {
      towards: (...others) => {
        for (const other of others) {
          this.world.note(`nothing passes from ${node.id} to ${other.id}`);
          this.world.network.cutLink(node.machine, other.machine);
        }
      },
    };
  }

  private cutBetween(one: ScenarioNode, other: ScenarioNode): void {
    this.world.note(`nothing passes between ${one.id} and ${other.id}`);
    this.world.network.cutLink(one.machine, other.machine);
    this.world.network.cutLink(other.machine, one.machine);
  }

  /** All links are whole again. */
  heal(): void {
    this.world.note('all links are whole');
    this.world.network.mendAll();
  }

  /** Messages of these types are lost. */
  lose<T extends Message['type']>(types: T | readonly T[], filter: Filter<T> = {}): Rule {
    return this.rule('lost', types, filter, 0);
  }

  /** Messages of these types wait until the rule is released. */
  hold<T extends Message['type']>(types: T | readonly T[], filter: Filter<T> = {}): Rule {
    return this.rule('held', types, filter, 0);
  }

  /** They arrive as usual, and copies of them can be replayed later. */
  record<T extends Message['type']>(types: T | readonly T[], filter: Filter<T> = {}): Rule {
    return this.rule('recorded', types, filter, 1);
  }

  /** They arrive twice or more often; all messages when no type is given. */
  repeat<T extends Message['type']>(
    times: number,
    types: T | readonly T[] = [],
    filter: Filter<T> = {},
  ): Rule {
    return this.rule(`delivered ${times} times`, types, filter, times);
  }

  private rule<T extends Message['type']>(
    fate: string,
    types: T | readonly T[],
    filter: Filter<T>,
    copies: number,
  ): Rule {
    const { where = () => true, ...sides } = filter;
    // The rule asks only of messages of these types.
    const ofAnyType = (message: Message): boolean => where(message as Extract<Message, { type: T }>);
    const what = `${[types].flat().join(', ') || 'everything'}${sideOf(' from', filter.from)}${sideOf(' to', filter.to)}`;
    this.world.note(`${fate} from now on: ${what}`);
    const ended = (): void => this.world.note(`no longer ${fate}: ${what}`);
    const rule = new Rule([types].flat(), { ...sides, where: ofAnyType }, copies, ended);
    // The newest rule comes first.
    this.world.rules.unshift(rule);
    return rule;
  }

  // ------------------------------------------------------------ what was seen

  /** Events of one type on one node, or on all. */
  eventsOf<T extends CoreEvent['type']>(type: T, node?: ScenarioNode): Extract<CoreEvent, { type: T }>[] {
    return this.world.events
      .filter(({ node: id, event }) => event.type === type && (!node || node.id === id))
      .map(({ event }) => event as Extract<CoreEvent, { type: T }>);
  }

  /** What happened from the beginning on. */
  get story(): readonly TraceEvent[] {
    return this.world.trace.events();
  }

  /** What happened last, for a report. */
  get lastEvents(): readonly string[] {
    return this.world.trace.lines(EVENTS_REPORTED);
  }
}

const sideOf = (word: string, side: Party | readonly Party[] | undefined): string =>
  side === undefined
    ? ''
    : `${word} ${[side]
        .flat()
        .map(({ id }) => id)
        .join(', ')}`;
