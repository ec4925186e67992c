import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterNode } from '../cluster/process-cluster.js';
import type { NodeState } from '../devnet/control.js';
import type { BlockRef } from '../devnet/payload.js';
import type { CommittedLedger } from './committed-ledger.js';
import type { Watcher } from './watcher.js';

/** How sequencing moved from one node to another. Times in milliseconds. */
export interface Handover {
  from: ClusterNode;
  to: ClusterNode;
  /** The last committed block before the new leader's first. */
  parent: BlockRef;
  /** The first block that the new leader committed. */
  block: BlockRef;
  /** From the fault to the first sight of the new leader's sequencer running. */
  startedMs: number;
  /** From the fault to the first sight of `block` as committed. */
  committedMs: number;
  /** How much later after its timestamp that was, compared with the block before the fault. */
  lateMs: number;
}

const WITHIN_MS = 30_000;

/**
 * Does something to the node that sequences, and measures how long it takes until another has committed a block.
 * The fault strikes half a slot after a block: just after one, a slow failover would still miss no slot.
 *
 * @throws Error when no node takes over, or when the first block does not continue the committed chain
 */
export async function measureHandover(
  { watcher, ledger, blockTimeMs }: { watcher: Watcher; ledger: CommittedLedger; blockTimeMs: number },
  fault: (leader: ClusterNode) => Promise<unknown>,
): Promise<Handover> {
  watcher.isClose = true;
  try {
    let usual: Commit;
    do {
      usual = await nextCommit(watcher, () => true);
      await sleep(blockTimeMs / 2);
      // On an overloaded machine leadership may move by itself.
    } while (!(await usual.node.baton.call<boolean>('conductor_leader')));
    const from = usual.node;
    const last = ledger.highest as BlockRef;
    const commit = nextCommit(watcher, (node) => node !== from);
    const faultAtMs = Date.now();
    await Promise.all([commit, fault(from)]);
    const first = await commit;
    return {
      from,
      to: first.node,
      parent: await committedParent(first.block, last, first.node),
      block: first.block,
      startedMs: first.activeAtMs - faultAtMs,
      committedMs: first.committedAtMs - faultAtMs,
      lateMs: sinceTimestampMs(first) - sinceTimestampMs(usual),
    };
  } finally {
    watcher.isClose = false;
  }
}

function sinceTimestampMs({ block, committedAtMs }: Commit): number {
  return committedAtMs - block.timestamp * 1000;
}

export function show({ number, hash }: BlockRef): string {
  return `block ${number} (${hash.slice(0, 10)})`;
}

interface Commit {
  node: ClusterNode;
  block: BlockRef;
  /** Wall clock, as the other. */
  activeAtMs: number;
  committedAtMs: number;
}

/** The next block that one of these nodes commits itself. */
function nextCommit(watcher: Watcher, isWanted: (node: ClusterNode) => boolean): Promise<Commit> {
  const sealedBefore = new Map<ClusterNode, string | undefined>();
  const activeSince = new Map<ClusterNode, number>();
  return new Promise((resolve, reject) => {
    const onState = (node: ClusterNode, { sealed, active }: NodeState, seenAtMs: number): void => {
      if (!isWanted(node)) return;
      if (active && !activeSince.has(node)) activeSince.set(node, seenAtMs);
      if (!sealedBefore.has(node)) sealedBefore.set(node, sealed?.hash);
      if (sealed === null || sealed.hash === sealedBefore.get(node)) return;
      stop();
      const activeAtMs = activeSince.get(node) ?? seenAtMs;
      resolve({ node, block: sealed, activeAtMs, committedAtMs: seenAtMs });
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`nobody committed a block within ${WITHIN_MS / 1000} s`));
    }, WITHIN_MS);
    const stop = (): void => {
      clearTimeout(timer);
      watcher.off('state', onState);
    };
    watcher.on('state', onState);
  });
}

/** The block below the new one, after a check that the new leader's chain leads to it from the last committed one. */
async function committedParent(block: BlockRef, last: BlockRef, node: ClusterNode): Promise<BlockRef> {
  const chain = await node.devnet.blocks(last.number);
  if (chain[0]?.hash !== last.hash) {
    throw new Error(`${node.id} has ${chain[0]?.hash} in the place of the committed ${show(last)}`);
  }
  const parent = chain.findLast(({ number }) => number < block.number);
  if (parent?.hash !== block.parentHash) {
    throw new Error(`${show(block)} of ${node.id} has the parent ${block.parentHash}, not ${parent?.hash}`);
  }
  return parent;
}
