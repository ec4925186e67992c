interface Scheduled {
  at: number;
  /** Order of scheduling. It breaks ties, so that a run never depends on the heap's layout. */
  order: number;
  run: () => void;
}

const before = (x: Scheduled, y: Scheduled): boolean => x.at < y.at || (x.at === y.at && x.order < y.order);

/** Future events by virtual time (a binary heap). */
export class EventQueue {
  private readonly heap: Scheduled[] = [];
  private scheduled = 0;
  nowMs = 0;

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + Math.max(0, delayMs), run);
  }

  at(timeMs: number, run: () => void): void {
    const { heap } = this;
    const item = { at: Math.max(timeMs, this.nowMs), order: this.scheduled++, run };
    let slot = heap.push(item) - 1;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = heap[parent] as Scheduled;
      if (!before(item, above)) break;
      heap[slot] = above;
      slot = parent;
    }
    heap[slot] = item;
  }

  /** Runs the next event; false when there is none. */
  runNext(): boolean {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last) return false;
    if (heap.length > 0) this.siftDown(last);
    this.nowMs = first.at;
    first.run();
    return true;
  }

  private siftDown(item: Scheduled): void {
    const { heap } = this;
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && before(right, heap[child] as Scheduled)) child += 1;
      const below = heap[child] as Scheduled;
      if (!before(below, item)) break;
      heap[slot] = below;
      slot = child;
    }
    heap[slot] = item;
  }
}
