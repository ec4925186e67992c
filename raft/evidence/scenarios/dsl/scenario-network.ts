import type { Message } from '../../../core/messages.js';
import { Rule, type Filter, type Party } from './messages.js';
import type { ScenarioNode } from './node.js';
import type { ScenarioWorld } from './world.js';

/** What a scenario does to the messages between its nodes: cut links, and rules for messages of certain types. */
export abstract class ScenarioNetwork {
  constructor(protected readonly world: ScenarioWorld) {}

  get nodes(): readonly ScenarioNode[] {
    return this.world.actors;
  }

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

  /** From now on messages from one to the other take this long. Their order stays. */
  delay(from: ScenarioNode, to: ScenarioNode, ms: number): void {
    this.world.note(`what ${from.id} sends to ${to.id} takes ${ms} ms`);
    this.world.network.clogLink(from.machine, to.machine, this.world.queue.nowMs + ms);
  }

  private cutBetween(one: ScenarioNode, other: ScenarioNode): void {
    this.world.note(`nothing passes between ${one.id} and ${other.id}`);
    this.world.network.cutLink(one.machine, other.machine);
    this.world.network.cutLink(other.machine, one.machine);
  }

  /** All links work again. */
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

  /** They arrive as usual, and copies can be replayed later. */
  record<T extends Message['type']>(types: T | readonly T[], filter: Filter<T> = {}): Rule {
    return this.rule('recorded', types, filter, 1);
  }

  /** They arrive twice or more often. Applies to all messages when no type is given. */
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
    // The rule sees only messages of these types.
    const ofAnyType = (message: Message): boolean => where(message as Extract<Message, { type: T }>);
    const what = `${[types].flat().join(', ') || 'everything'}${sideOf(' from', filter.from)}${sideOf(' to', filter.to)}`;
    this.world.note(`${fate} from now on: ${what}`);
    const ended = (): void => this.world.note(`no longer ${fate}: ${what}`);
    const rule = new Rule([types].flat(), { ...sides, where: ofAnyType }, copies, ended);
    // The newest rule comes first.
    this.world.rules.unshift(rule);
    return rule;
  }
}

const sideOf = (word: string, side: Party | readonly Party[] | undefined): string =>
  side === undefined
    ? ''
    : `${word} ${[side]
        .flat()
        .map(({ id }) => id)
        .join(', ')}`;
