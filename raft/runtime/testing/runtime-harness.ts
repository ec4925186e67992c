import { pino } from 'pino';
import type { Limits, Member, NodeId, Timing } from '../../core/types.js';
import type { Storage } from '../../storage/storage.js';
import type { Retention } from '../compaction.js';
import type { NodeTransport } from '../node-options.js';
import { eventually } from '../../testing/eventually.js';
import { RaftNode } from '../raft-node.js';
import { RecordingMachine } from './recording-machine.js';

/** Patient enough for a busy machine, quick enough for a test. */
export const TIMING: Timing = {
  heartbeatIntervalMs: 50,
  electionTimeoutMs: 500,
  rankSlotMs: 30,
  jitterMs: 20,
  leaseTimeoutMs: 450,
  requestTimeoutMs: 60_000,
  transferTimeoutMs: 1000,
};

export const LIMITS: Limits = {
  uncommittedBytesMax: 8_000_000,
  uncommittedEntriesMax: 64,
  inflightRequestsMax: 2,
  inflightBytesMax: 4_000_000,
  appendBytesMax: 1_000_000,
  cacheBytesMax: 1_000_000,
};

export const RETENTION: Retention = { bytesMax: 64_000_000, entriesMax: 10_000 };

export interface RuntimeHarnessOptions {
  storage: Storage;
  limits?: Partial<Limits>;
  retention?: Partial<Retention>;
  timing?: Partial<Timing>;
  machine?: RecordingMachine;
  crashEvidence?: boolean;
  writeLimitMs?: number;
}

/** A node with everything a test wants to see. */
export class RuntimeHarness {
  readonly machine: RecordingMachine;
  readonly fatal: Error[] = [];
  readonly raft: RaftNode<number>;

  constructor(
    readonly id: NodeId,
    {
      storage,
      limits,
      retention,
      timing,
      machine,
      crashEvidence = true,
      writeLimitMs,
    }: RuntimeHarnessOptions,
  ) {
    this.machine = machine ?? new RecordingMachine();
    this.raft = new RaftNode({
      nodeId: id,
      priority: 0,
      crashEvidence,
      timing: { ...TIMING, ...timing },
      limits: { ...LIMITS, ...limits },
      retention: { ...RETENTION, ...retention },
      ...(writeLimitMs === undefined ? {} : { writeLimitMs }),
      storage,
      stateMachine: this.machine,
      logger: pino({ level: 'silent' }),
      onFatal: (error) => void this.fatal.push(error),
    });
  }

  async start(transport: NodeTransport): Promise<{ host: string; port: number }> {
    await this.raft.open();
    return this.raft.start(transport);
  }

  memberAt(address: string): Member {
    return { id: this.id, address, incarnation: this.raft.identity.incarnation, voter: true };
  }
}

/** The node that leads the latest term and has committed in it. */
export function leaderOf(nodes: readonly RuntimeHarness[]): RuntimeHarness | undefined {
  const leaders = nodes.filter(({ raft }) => raft.isReadyLeader);
  return leaders.sort((a, b) => b.raft.status().term - a.raft.status().term)[0];
}

/** Commits through whoever leads. What ended as `unknown` is looked for before it is proposed again. */
export async function commit(nodes: readonly RuntimeHarness[], command: string): Promise<void> {
  for (;;) {
    const leader = await eventually(() => leaderOf(nodes), 'a leader');
    if ((await leader.raft.readBarrier()).outcome !== 'done') continue;
    if (leader.machine.commands.includes(command)) return;
    const { outcome } = await leader.raft.propose(Buffer.from(command));
    if (outcome === 'done') return;
  }
}
