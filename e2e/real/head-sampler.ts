import { setTimeout as sleep } from 'node:timers/promises';
import type { BlockRef, SeenBlocks } from './chain-check.js';
import { blockByHash, latestBlock } from './execution.js';
import type { SequencerNode } from './node.js';

const POLL_MS = 150;

/**
 * Watches the heads of all execution clients and records every block that was ever in the chain of one, including
 * blocks that a head jumped over. A client that does not answer is asked again.
 */
export class HeadSampler {
  private stopped = false;
  private readonly loops: Promise<void>[];

  constructor(
    nodes: readonly SequencerNode[],
    private readonly seen: SeenBlocks,
  ) {
    this.loops = nodes.map((node) => this.watch(node));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
  }

  private async watch(node: SequencerNode): Promise<void> {
    while (!this.stopped) {
      await this.sample(node).catch(() => undefined);
      await sleep(POLL_MS);
    }
  }

  private async sample(node: SequencerNode): Promise<void> {
    const fresh: BlockRef[] = [];
    let block = await latestBlock(node);
    while (block.number > 0 && !this.seen.has(node.name, block)) {
      fresh.push(block);
      block = await blockByHash(node, block.parentHash);
    }
    // Recorded only after a complete walk down: a known block ends the walk, so nothing below it may be missing.
    for (const each of fresh) this.seen.note(node.name, each);
  }
}
