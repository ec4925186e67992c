/** The share that one holder has of a `MemoryBudget`. */
export interface Holding {
  bytes: number;
  readonly sinceMs: number;
  /** Makes its owner release the memory. */
  readonly evict: () => void;
}

/**
 * Bounds the memory that many holders use together. When it is exceeded, the holder of the most for the longest is
 * evicted: one that comes and goes within milliseconds gets through, even when many others hold much for long.
 */
export class MemoryBudget {
  private heldBytes = 0;
  private readonly holdings = new Set<Holding>();

  constructor(private readonly bytesMax: number) {}

  /** An empty holding, from now on. */
  open(evict: () => void): Holding {
    const holding = { bytes: 0, sinceMs: performance.now(), evict };
    this.holdings.add(holding);
    return holding;
  }

  /** Adds bytes to a holding, and evicts the worst ones while all of them exceed the budget. No-op once released. */
  hold(holding: Holding, bytes: number): void {
    if (!this.holdings.has(holding)) return;
    holding.bytes += bytes;
    this.heldBytes += bytes;
    while (this.heldBytes > this.bytesMax) {
      const worst = this.worst();
      this.release(worst);
      worst.evict();
    }
  }

  /** Gives back all of a holding, once. */
  release(holding: Holding): void {
    if (this.holdings.delete(holding)) this.heldBytes -= holding.bytes;
  }

  private worst(): Holding {
    const now = performance.now();
    const weight = ({ bytes, sinceMs }: Holding): number => bytes * (now - sinceMs);
    return [...this.holdings].reduce((worst, holding) => (weight(holding) > weight(worst) ? holding : worst));
  }
}
