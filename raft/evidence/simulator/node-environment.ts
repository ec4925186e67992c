import type { NodeId } from '../../core/configuration.js';
import type { Input } from '../../core/inputs.js';
import type { Message } from '../../core/messages.js';
import type { Output, Persist } from '../../core/outputs.js';
import type { Prng } from '../../testing/prng.js';
import type { ClientRequests } from './client-requests.js';
import type { EventQueue } from './event-queue.js';
import type { CoreHost } from './core-host.js';
import type { Machine, Process } from './machine.js';
import type { SimulationOptions } from './options.js';
import type { Trace } from './trace.js';

/** What a node needs of the world. */
export interface NodeEnvironment {
  readonly queue: EventQueue;
  readonly rng: Prng;
  readonly options: SimulationOptions;
  readonly coreHost: CoreHost;
  readonly trace: Trace;
  readonly requests: ClientRequests;
  readonly network: { send(from: Machine, process: Process, to: NodeId, message: Message): void };
  readonly nemesis: { crash(node: Machine, downMs?: number): void };
  readonly isChaotic: boolean;
  disksReplaced: number;
  count(what: string): void;
  /** True when the cluster can spare this node's disk. */
  mayLoseDisk(node: Machine): boolean;
  started(node: Machine): void;
  refused(node: Machine, reason: string): void;
  crashed(node: Machine): void;
  written(node: Machine, write: Persist): void;
  applied(node: Machine, index: number, data: Uint8Array): void;
  stepped(node: Machine, process: Process, input: Input, outputs: readonly Output[]): void;
}
