import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterNode, ProcessCluster } from '../cluster/process-cluster.js';
import type { NodeState } from '../devnet/control.js';
import type { BlockRef } from '../devnet/payload.js';
import type { CommittedLedger } from './committed-ledger.js';

/** The current knowledge of one node. */
export interface NodeView {
  /** Undefined while its Baton does not answer. */
  conductor: { isLeader: boolean; term: number | undefined; healthy: boolean } | undefined;
  /** Unsafe head; undefined while op-node and execution client do not answer. */
  head: BlockRef | undefined;
  /** Whether its sequencer runs. */
  active: boolean;
}

interface WatcherEvents {
  /** Fresh from a node. The time is the wall clock in milliseconds when the answer came. */
  state: [node: ClusterNode, state: NodeState, seenAtMs: number];
}

const CALM_POLL_MS = 100;
const CLOSE_POLL_MS = 5;
const CONDUCTOR_POLL_MS = 200;

/** Polls all nodes, and writes every block that they show into the ledger. */
export class Watcher extends EventEmitter<WatcherEvents> {
  readonly #views = new Map<ClusterNode, NodeView>();
  readonly #stopping = new AbortController();
  #pollMs = CALM_POLL_MS;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cluster: ProcessCluster,
    private readonly ledger: CommittedLedger,
  ) {
    super();
    for (const node of cluster.nodes) {
      this.#views.set(node, { conductor: undefined, head: undefined, active: false });
    }
  }

  start(): void {
    const loops = this.cluster.nodes.flatMap((node) => [
      this.#repeat(
        () => this.look(node),
        () => this.#pollMs,
      ),
      this.#repeat(
        () => this.#askConductor(node),
        () => CONDUCTOR_POLL_MS,
      ),
    ]);
    this.#loops = Promise.all(loops);
  }

  /** After this, nothing is written into the ledger. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  /** Polls more often, during a measurement. */
  set isClose(close: boolean) {
    this.#pollMs = close ? CLOSE_POLL_MS : CALM_POLL_MS;
  }

  view(node: ClusterNode): NodeView {
    return this.#views.get(node) as NodeView;
  }

  /** Reads the chain of one node now. Rejects when the node does not answer. */
  async look(node: ClusterNode): Promise<NodeState> {
    const view = this.view(node);
    try {
      const state = await node.devnet.state();
      this.emit('state', node, state, Date.now());
      if (state.sealed) this.ledger.note(node.id, state.sealed);
      if (state.head.hash !== view.head?.hash) {
        for (const block of await node.devnet.blocks(1)) this.ledger.note(node.id, block);
      }
      Object.assign(view, { head: state.head, active: state.active });
      return state;
    } catch (error) {
      Object.assign(view, { head: undefined, active: false });
      throw error;
    }
  }

  async #askConductor(node: ClusterNode): Promise<void> {
    const view = this.view(node);
    view.conductor =
      node.baton.pid === undefined
        ? undefined
        : await Promise.all([
            node.baton.call<boolean>('conductor_leader'),
            node.baton.call<boolean>('conductor_sequencerHealthy'),
          ]).then(
            ([isLeader, healthy]) => ({ isLeader, healthy, term: termOf(node) }),
            () => undefined,
          );
  }

  async #repeat(work: () => Promise<unknown>, pauseMs: () => number): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // A node that is down is part of the story.
      await work().catch(() => {});
      await sleep(pauseMs(), undefined, { signal }).catch(() => {});
    }
  }
}

/** No method of op-conductor returns the term, but Baton logs each change of it. */
function termOf({ baton }: ClusterNode): number | undefined {
  return baton.log.findLast((line) => line.msg === 'role changed')?.['term'] as number | undefined;
}
