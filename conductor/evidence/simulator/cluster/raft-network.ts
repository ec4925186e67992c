import type { Lifetime } from '../time/lifetime.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import type { Links } from './links.js';
import { RaftTransport, type Surrounding } from './raft-transport.js';

/** A process that died leaves closed connections behind; the others notice within this. */
const NEWS_MS = 3;

/** Connects the Raft nodes that run. */
export class RaftNetwork implements Surrounding {
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
   * @param hello what it says of itself to whoever asks
   */
  transportOf(nodeId: string, lifetime: Lifetime, hello: () => object): RaftTransport {
    return new RaftTransport(this, nodeId, lifetime, hello, ++this.boots);
  }

  transportAt(nodeId: string): RaftTransport | undefined {
    return this.running.get(nodeId);
  }

  begin(transport: RaftTransport): void {
    this.running.set(transport.nodeId, transport);
  }

  /** The process is gone, and its kernel has closed what it had open. */
  end(transport: RaftTransport): void {
    const { nodeId } = transport;
    if (this.running.get(nodeId) !== transport) return;
    this.running.delete(nodeId);
    for (const other of this.running.values()) {
      this.links.carry(nodeId, other.nodeId, 0, undefined, () =>
        this.clock.after(NEWS_MS, () => other.closedBy(transport)),
      );
    }
  }
}
