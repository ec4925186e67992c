import type { Lifetime } from '../time/lifetime.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import type { Links } from './links.js';
import { RaftTransport, type NetworkAccess } from './raft-transport.js';

/** The peers of a dead process notice its closed connections within this time. */
const NEWS_MS = 3;

/** Connects the Raft nodes that run. */
export class RaftNetwork implements NetworkAccess {
  /** By the place where they listen. */
  private readonly running = new Map<string, RaftTransport>();
  private boots = 0;

  constructor(
    private readonly clock: Pick<VirtualClock, 'after'>,
    readonly links: Links,
    /** Deadlines of requests, as in conductor/process/raft-options.ts. */
    readonly deadlinesMs: { control: number; bulk: number; snapshot: number },
  ) {}

  /**
   * The network of one process.
   *
   * @param hello what the process says of itself to anyone who asks
   */
  transportOf(
    who: { nodeId: string; place: string },
    lifetime: Lifetime,
    hello: () => object,
  ): RaftTransport {
    return new RaftTransport(this, { ...who, lifetime, hello, bootId: `boot ${++this.boots}` });
  }

  transportAt(place: string): RaftTransport | undefined {
    return this.running.get(place);
  }

  begin(transport: RaftTransport): void {
    this.running.set(transport.place, transport);
  }

  /** The process is gone, and its kernel has closed its connections. */
  end(transport: RaftTransport): void {
    const { place } = transport;
    if (this.running.get(place) !== transport) return;
    this.running.delete(place);
    for (const other of this.running.values()) {
      this.links.carry(place, other.place, 0, undefined, () =>
        this.clock.after(NEWS_MS, () => other.closedBy(transport)),
      );
    }
  }

  /** Something between two places closes the connections of both. */
  breakConnections(a: string, b: string): void {
    const [first, second] = [this.running.get(a), this.running.get(b)];
    if (!first || !second) return;
    first.closedBy(second);
    second.closedBy(first);
  }
}
