import type { Block } from '../chain/block-store.js';

/**
 * Waiting payloads, the lowest first, as in op-node's `payloads_queue.go`. A payload at the unsafe head or below, or
 * directly above it on another parent, is dropped. A higher one waits.
 */
export class PayloadQueue {
  private waiting: Block[] = [];

  get lowest(): Block | undefined {
    return this.waiting[0];
  }

  /** A payload that already waits is not added again. */
  push(block: Block): void {
    if (this.waiting.some(({ hash }) => hash === block.hash)) return;
    const after = this.waiting.findIndex(({ number }) => number > block.number);
    this.waiting.splice(after < 0 ? this.waiting.length : after, 0, block);
  }

  /** @param head the unsafe head */
  dropInapplicable(head: Block): void {
    for (let next = this.lowest; next; next = this.lowest) {
      const applies = next.number > head.number + 1 || this.followsOn(next, head);
      if (applies) return;
      this.waiting.shift();
    }
  }

  /** The payload that goes on top of the unsafe head, if it is there. */
  nextOn(head: Block): Block | undefined {
    const { lowest } = this;
    return lowest && this.followsOn(lowest, head) ? lowest : undefined;
  }

  private followsOn(block: Block, head: Block): boolean {
    return block.number === head.number + 1 && block.parentHash === head.hash;
  }
}
