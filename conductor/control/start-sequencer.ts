import type { Outcome } from '../../raft/index.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import { bringToHead, type NodeAndChain } from './bring-to-head.js';

export interface StartDeps extends NodeAndChain {
  opNode: NodeAndChain['opNode'] & {
    startSequencer(head: string, options: CallOptions): Promise<{ alreadyRunning: boolean }>;
    wakeUp(number: number, options: CallOptions): Promise<void>;
  };
  readBarrier(): Promise<Outcome<object>>;
}

export interface StartOptions {
  signal: AbortSignal;
  /** For bringing the node to the head, and then again for the start itself. */
  deadlineMs: number;
  callTimeoutMs: number;
}

export interface Started {
  /** The block that it builds on. */
  head: BlockRef;
  /** False when it ran already. */
  wasStopped: boolean;
}

/** Pause before another try when op-node has not imported yet what its execution client shows. */
const RETRY_MS = 10;

/**
 * Starts the local sequencer on top of the committed head, after bringing the node there. With an empty log the
 * node's own head is the place to start: every block is committed before it is published, so none can be missing.
 *
 * @throws BehindError, StartRefusedError, ClientError
 */
export async function startSequencer(deps: StartDeps, options: StartOptions): Promise<Started> {
  const call = { signal: options.signal, timeoutMs: options.callTimeoutMs };
  const end = performance.now() + 2 * options.deadlineMs;
  for (;;) {
    const barrier = await deps.readBarrier();
    if (barrier.outcome !== 'done') throw new Error(`leadership lost before the start: ${barrier.reason}`);
    const head = await bringToHead(deps, { ...options, upTo: 'head' });
    try {
      const { alreadyRunning } = await deps.opNode.startSequencer(head.hash, call);
      deps.logger.info({ number: head.number, hash: head.hash }, 'sequencer started');
      if (!alreadyRunning) wakeUp(deps, head, options.callTimeoutMs);
      return { head, wasStopped: !alreadyRunning };
    } catch (error) {
      // op-node imports after it has answered, and gossip may move its head at any time (#20204): look again.
      const isTransient = error instanceof StartRefusedError && error.isTransient;
      if (!isTransient || performance.now() > end) throw error;
    }
    await deps.sleep(RETRY_MS, options.signal);
  }
}

/** It runs whatever comes of this, only later, so nobody waits for it. */
function wakeUp({ opNode, logger }: StartDeps, head: BlockRef, timeoutMs: number): void {
  opNode
    .wakeUp(head.number, { timeoutMs })
    .catch((error: Error) => logger.debug({ reason: error.message }, 'op-node was not woken'));
}
