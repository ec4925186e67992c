/**
 * How many partially healthy answers of rollup-boost are tolerated in each window of wall-clock time. The windows are those
 * of op-conductor: fixed, so up to twice the limit passes across a boundary.
 */
export class PartialTolerance {
  #window = -1;
  #used = 0;

  /** @param limit answers per window; 0 tolerates none, and needs no window */
  constructor(
    private readonly limit: number,
    private readonly windowSeconds: number,
  ) {}

  /** Uses one up. False when none is left in the window of `nowSeconds`. */
  take(nowSeconds: number): boolean {
    if (this.limit === 0) return false;
    const window = Math.floor(nowSeconds / this.windowSeconds);
    if (window !== this.#window) {
      this.#window = window;
      this.#used = 0;
    }
    if (this.#used >= this.limit) return false;
    this.#used += 1;
    return true;
  }
}
