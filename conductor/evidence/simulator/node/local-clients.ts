import type { ExecutionClient as ExecutionApi } from '../../../../rpc/clients/execution-client.js';
import type { CallOptions } from '../../../../rpc/clients/json-rpc-client.js';
import type { OpNodeClient as OpNodeApi } from '../../../../rpc/clients/op-node-client.js';
import {
  isAlreadyRunning,
  isNotRunning,
  startRefusal,
  StartRefusedError,
} from '../../../../rpc/clients/start-refusal.js';
import { hashInEnvelope, type Block, type BlockStore } from '../chain/block-store.js';
import type { Lifetime } from '../time/lifetime.js';
import type { VirtualClock } from '../time/virtual-clock.js';
import type { ExecutionClient } from './execution-client.js';
import type { CallFaults } from './call-faults.js';
import type { OpNode } from './op-node.js';
import { PendingCall } from './pending-call.js';
import type { Caller } from './rpc-fault.js';

const CALL_TIMEOUT_MS = 10_000;

/** What a conductor's calls depend on. */
export interface LocalEnvironment {
  clock: VirtualClock;
  blocks: BlockStore;
  execution: ExecutionClient;
  /** The process that listens now; null when none does. */
  opNode: () => OpNode | null;
  faults: CallFaults;
  /** One way, in milliseconds. */
  latencyMs: () => number;
  /** op-node or the execution client is called, with any result. */
  called: () => void;
  losesPost: () => boolean;
  posted: (block: Block) => void;
  /** op-node is told to stop its sequencer, with any result. */
  toldToStop: () => void;
  peers: () => number;
}

type OpNodeCalls = Omit<Pick<OpNodeApi, keyof OpNodeApi>, 'close' | 'overrideLeader' | 'chainId' | 'version'>;
type ExecutionCalls = Pick<ExecutionApi, 'latestBlock' | 'blockByNumber' | 'onDisconnect'>;

/** op-node and execution client for one conductor process, with deadlines, signals and op-node's error texts. */
export class LocalClients {
  /** @param lifetime of the conductor's process */
  constructor(
    private readonly environment: LocalEnvironment,
    private readonly lifetime: Lifetime,
    private readonly timeoutMs = CALL_TIMEOUT_MS,
  ) {}

  /** op-node processes to which a connection is open. */
  private readonly connected = new WeakSet<OpNode>();
  private readonly disconnected: (() => void)[] = [];

  readonly opNode: OpNodeCalls = {
    onDisconnect: (listener) => void this.disconnected.push(listener),
    sequencerActive: (options) =>
      this.ask('admin_sequencerActive', options, async (node) => node.sequencerActive()),
    conductorEnabled: (options) => this.ask('admin_conductorEnabled', options, async () => true),
    startSequencer: async (head, options) => {
      try {
        await this.ask('admin_startSequencer', options, (node, caller) => node.startSequencer(head, caller));
        return { alreadyRunning: false };
      } catch (error) {
        if (isAlreadyRunning(error)) return { alreadyRunning: true };
        const refusal = startRefusal(error);
        throw refusal ? new StartRefusedError(refusal, error as Error) : error;
      }
    },
    stopSequencer: async (options) => {
      this.environment.toldToStop();
      try {
        const stop = (node: OpNode, caller: Caller): Promise<string> => node.stopSequencer(caller);
        return { head: await this.ask('admin_stopSequencer', options, stop), wasRunning: true };
      } catch (error) {
        if (isNotRunning(error)) return { head: null, wasRunning: false };
        throw error;
      }
    },
    postUnsafePayload: (envelope, options) =>
      this.ask('admin_postUnsafePayload', options, async (node) => {
        const block = this.environment.blocks.get(hashInEnvelope(envelope));
        this.environment.posted(block);
        if (!this.environment.losesPost()) node.receive(block);
      }),
    wakeUp: (_, options) => this.ask('optimism_outputAtBlock', options, (node) => node.wakeUp()),
    syncStatus: (options) =>
      this.ask('optimism_syncStatus', options, async ({ unsafeHead: head, l1Blocks }) => {
        const unsafeL2 = { number: head?.number ?? 0, timestamp: head?.timestamp ?? 0, hash: head?.hash };
        return { unsafeL2, safeL2: { number: 0, timestamp: 0 }, l1Blocks };
      }),
    resetPipeline: (options) => this.ask('admin_resetDerivationPipeline', options, (node) => node.reset()),
    peerStats: (options) =>
      this.ask('opp2p_peerStats', options, async () => ({ connected: this.environment.peers() })),
  };

  readonly execution: ExecutionCalls = {
    // The next poll notices the end of the execution client.
    onDisconnect: () => undefined,
    latestBlock: (options) => this.askExecution(options, (client) => client.latest()),
    blockByNumber: (number, options) =>
      this.askExecution(options, (client) => client.canonicalAt(number) ?? null),
  };

  private ask<T>(
    method: string,
    options: CallOptions | undefined,
    serve: (node: OpNode, caller: Caller) => Promise<T>,
  ): Promise<T> {
    const { faults } = this.environment;
    return this.call<T>(method, options, (call) => {
      const node = this.environment.opNode();
      if (!node) throw call.refused();
      this.connect(node);
      call.breakWhenEnds(node.lifetime);
      return faults.serve(method, () => serve(node, call.caller));
    });
  }

  private askExecution<T>(
    options: CallOptions | undefined,
    serve: (client: ExecutionClient) => T,
  ): Promise<T> {
    const method = 'eth_getBlockByNumber';
    const { execution, faults } = this.environment;
    return this.call<T>(method, options, (call) =>
      faults.serve(method, async () => {
        if (!execution.isRunning) throw call.refused();
        return serve(execution);
      }),
    );
  }

  /** Notifies listeners when the process at the other end of the connection dies. */
  private connect(node: OpNode): void {
    if (this.connected.has(node)) return;
    this.connected.add(node);
    node.lifetime.onEnd(() => {
      if (!this.lifetime.isOver) for (const listener of this.disconnected) listener();
    });
  }

  private call<T>(
    method: string,
    options: CallOptions | undefined,
    serve: (call: PendingCall<T>) => Promise<T>,
  ): Promise<T> {
    const { clock, latencyMs, called } = this.environment;
    const { signal, timeoutMs = this.timeoutMs } = options ?? {};
    const { lifetime } = this;
    called();
    return new Promise<T>((resolve, reject) => {
      new PendingCall<T>({ clock, lifetime, latencyMs, method, timeoutMs, signal }, resolve, reject).begin(
        serve,
      );
    });
  }
}
