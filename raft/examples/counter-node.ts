import type { Logger } from 'pino';
import {
  HttpTransport,
  LevelStorage,
  RaftNode,
  TIMING_PROFILES,
  type Member,
  type Timing,
} from '../index.js';
import { Counter } from './counter.js';

const TIMING: Timing = { ...TIMING_PROFILES.lan, requestTimeoutMs: 600, transferTimeoutMs: 600 };

export interface CounterNodeOptions {
  nodeId: string;
  directory: string;
  /** Port 0 means any free port. */
  bind: { host: string; port: number };
  logger: Logger;
  /** The disk failed or an invariant broke. End the process. */
  onFatal(error: Error): void;
}

/** One replica of the counter: its log in LevelDB, its peers over HTTP. */
export class CounterNode {
  readonly counter = new Counter();
  readonly raft: RaftNode<number>;
  private address = '';

  constructor(private readonly options: CounterNodeOptions) {
    const { nodeId, directory, logger } = options;
    this.raft = new RaftNode({
      nodeId,
      priority: 0,
      crashEvidence: true,
      timing: TIMING,
      limits: {
        uncommittedBytesMax: 8 << 20,
        uncommittedEntriesMax: 64,
        inflightRequestsMax: 2,
        inflightBytesMax: 4 << 20,
        appendBytesMax: 1 << 20,
        cacheBytesMax: 4 << 20,
      },
      retention: { bytesMax: 64 << 20, entriesMax: 1000 },
      storage: new LevelStorage({ directory }),
      stateMachine: this.counter,
      logger,
      onFatal: (error) => options.onFatal(error),
    });
  }

  async start(): Promise<void> {
    const { raft, options } = this;
    const { bind, logger } = options;
    await raft.open();
    const transport = new HttpTransport({
      bind,
      timeouts: () => ({ controlMs: 100, bulkMs: 600, snapshotMs: 600 }),
      bodyLimitBytes: 16 << 20,
      logger,
    });
    const { host, port } = await raft.start(transport);
    this.address = `${host}:${port}`;
  }

  /** How a cluster lists this node: its name, where it listens, and which disk it has. */
  get member(): Member {
    const { nodeId } = this.options;
    return { id: nodeId, address: this.address, incarnation: this.raft.identity.incarnation, voter: true };
  }

  /** @returns the counter after this addition, and after every one that was committed before it */
  async add(amount: number): Promise<number> {
    const outcome = await this.raft.propose(Counter.add(amount));
    if (outcome.outcome === 'done') return outcome.result;
    // `rejected`: it had no effect, ask the leader. `unknown`: it may have had one, so read before you repeat it.
    throw new Error(`${outcome.outcome}: ${outcome.reason}`);
  }

  /** The counter with everything that was committed before this call. Leader only. */
  async read(): Promise<number> {
    const { outcome } = await this.raft.readBarrier();
    if (outcome !== 'done') throw new Error('not the leader');
    return this.counter.value;
  }

  stop(): Promise<void> {
    return this.raft.stop();
  }
}
