import { pino } from 'pino';
import type { Member, NodeId } from '../../core/configuration.js';
import type { Limits } from '../../core/options.js';
import type { Timing } from '../../core/timing.js';
import type { Storage } from '../../storage/storage.js';
import type { Retention } from '../compaction.js';
import type { NodeTransport } from '../node-options.js';
import { eventually } from '../../testing/eventually.js';
import { LARGE_LIMITS, PATIENT_TIMING, RETENTION } from '../../testing/options.js';
import { RaftNode } from '../raft-node.js';
import { RecordingMachine } from './recording-machine.js';

export interface RuntimeHarnessOptions {
  storage: Storage;
  limits?: Partial<Limits>;
  retention?: Partial<Retention>;
  timing?: Partial<Timing>;
  machine?: RecordingMachine;
  crashEvidence?: boolean;
  writeLimitMs?: number;
}

/** A node with everything that a test inspects. */
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
      timing: { ...PATIENT_TIMING, ...timing },
      limits: { ...LARGE_LIMITS, ...limits },
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

  /** Whether it has applied this command. */
  has(command: string): boolean {
    return this.machine.commands.includes(command);
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

/** Commits through the current leader. After `unknown`, looks for the entry before it proposes again. */
export async function commit(nodes: readonly RuntimeHarness[], command: string): Promise<void> {
  for (;;) {
    const leader = await eventually(() => leaderOf(nodes), 'a leader');
    if ((await leader.raft.readBarrier()).outcome !== 'done') continue;
    if (leader.machine.commands.includes(command)) return;
    const { outcome } = await leader.raft.propose(Buffer.from(command));
    if (outcome === 'done') return;
  }
}
