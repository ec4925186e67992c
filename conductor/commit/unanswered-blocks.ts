/**
 * Blocks that this leader put into the log and whose proposer has not learned that they are committed, so nobody has
 * published them. Others may have published blocks of an earlier term, so nothing here outlives its term.
 */
export class UnansweredBlocks {
  private term = -1;
  private readonly hashes = new Set<string>();

  /** From here on the block may be committed, and its proposer may or may not learn of it. */
  proposed(hash: string, term: number): void {
    if (term !== this.term) this.hashes.clear();
    this.term = term;
    this.hashes.add(hash);
  }

  /** The block is the head. Those before it were replaced, or have a child that their proposer built. */
  committed(hash: string): void {
    for (const other of this.hashes) if (other !== hash) this.hashes.delete(other);
  }

  /** Its proposer knows that it is committed, and may have published it. */
  forget(hash: string): void {
    this.hashes.delete(hash);
  }

  has(hash: string, term: number): boolean {
    return term === this.term && this.hashes.has(hash);
  }
}
