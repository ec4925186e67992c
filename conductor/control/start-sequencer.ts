import type { Outcome } from '../../raft/index.js';
import { ClientError } from '../../rpc/clients/client-error.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';
import { bringToHead, type NodeAndChain } from './bring-to-head.js';

export interface StartDeps extends NodeAndChain {
  opNode: NodeAndChain['opNode'] & {
    startSequencer(head: string, options: CallOptions): Promise<{ alreadyRunning: boolean }>;
    sequencerActive(options: CallOptions): Promise<boolean>;
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
  /** False when it was already running. */
  wasStopped: boolean;
}

/** op-node answers within milliseconds, or something blocks it; then it is asked whether the start succeeded. */
const START_TIMEOUT_MS = 2000;
/** Pause before another try when op-node has not imported yet what its execution client shows. */
const RETRY_MS = 10;

/**
 * Starts the local sequencer on top of the committed head, after bringing the node there. With an empty log it starts
 * on the node's own head: start-gate.ts has already settled that no other member has more.
 *
 * @throws BehindError, StartRefusedError, ClientError
 */
export async function startSequencer(deps: StartDeps, options: StartOptions): Promise<Started> {
  const end = performance.now() + 2 * options.deadlineMs;
  for (;;) {
    const barrier = await deps.readBarrier();
    if (barrier.outcome !== 'done') throw new Error(`leadership lost before the start: ${barrier.reason}`);
    const head = await bringToHead(deps, { ...options, upTo: 'head' });
    try {
      const { alreadyRunning } = await startOn(deps, head, options);
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

/** A start whose answer is lost is not a failure if the sequencer runs: the call named its block. */
async function startOn(
  { opNode, logger }: StartDeps,
  { number, hash }: BlockRef,
  { signal, callTimeoutMs }: StartOptions,
): Promise<{ alreadyRunning: boolean }> {
  const call = { signal, timeoutMs: Math.min(callTimeoutMs, START_TIMEOUT_MS) };
  try {
    return await opNode.startSequencer(hash, call);
  } catch (error) {
    if (!isLostAnswer(error)) throw error;
    const active = await opNode.sequencerActive(call).catch(() => false);
    if (!active) throw error;
    logger.warn(
      { number, hash, reason: error.message },
      'start was not answered, but the sequencer is running',
    );
    return { alreadyRunning: false };
  }
}

function isLostAnswer(error: unknown): error is ClientError {
  return error instanceof ClientError && error.code !== 'rpc-error' && error.code !== 'aborted';
}

/** Without this it also runs, only later, so nobody waits for the result. */
function wakeUp({ opNode, logger }: StartDeps, head: BlockRef, timeoutMs: number): void {
  opNode
    .wakeUp(head.number, { timeoutMs })
    .catch((error: Error) => logger.debug({ reason: error.message }, 'op-node was not woken'));
}
