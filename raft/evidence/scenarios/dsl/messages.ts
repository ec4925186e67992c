import type { NodeId } from '../../../core/configuration.js';
import type { Message } from '../../../core/messages.js';

/** Sender and receiver. */
export interface Party {
  readonly id: NodeId;
  hear(from: Party, message: Message): void;
}

/** Which messages a rule applies to. An absent field matches all. */
export interface Filter<T extends Message['type']> {
  from?: Party | readonly Party[];
  to?: Party | readonly Party[];
  where?: (message: Extract<Message, { type: T }>) => boolean;
}

interface UnderWay {
  from: Party;
  to: Party;
  message: Message;
}

const includes = (side: Party | readonly Party[] | undefined, id: NodeId): boolean =>
  side === undefined || [side].flat().some((node) => node.id === id);

/** What happens to some of the messages from now on. */
export class Rule {
  protected readonly caught: UnderWay[] = [];
  private active = true;

  constructor(
    private readonly types: readonly Message['type'][],
    private readonly filter: Filter<Message['type']>,
    /** How often a message that matches is delivered. */
    readonly copies: number,
    /** Called when the rule ends. */
    private readonly ended: () => void,
  ) {}

  matches(from: NodeId, to: NodeId, message: Message): boolean {
    const { filter, types } = this;
    return (
      this.active &&
      (types.length === 0 || types.includes(message.type)) &&
      includes(filter.from, from) &&
      includes(filter.to, to) &&
      (filter.where?.(message) ?? true)
    );
  }

  catch(underWay: UnderWay): void {
    this.caught.push(underWay);
  }

  /** How many messages it has matched so far. */
  get count(): number {
    return this.caught.length;
  }

  /** The matched messages from this node. */
  countFrom(node: Party): number {
    return this.caught.filter(({ from }) => from === node).length;
  }

  /** Ends the rule. */
  end(): void {
    if (this.active) this.ended();
    this.active = false;
  }

  /** Ends the rule and delivers what it caught, in the order of sending. */
  release(): void {
    this.end();
    this.replay();
  }

  /** Delivers what it caught (from or to these nodes only, if given), and keeps a copy. */
  replay(side: { from?: Party; to?: Party } = {}): void {
    for (const { from, to, message } of [...this.caught]) {
      if (includes(side.from, from.id) && includes(side.to, to.id)) to.hear(from, message);
    }
  }
}
