/** The two programs that one process stands for. */
export type Program = 'op-node' | 'execution';

/** What the simulated rollup-boost in front of the execution client says of itself. */
export type RollupBoostHealth = 'healthy' | 'partial' | 'unhealthy' | 'hung';

/** The faults that are switched on; programs ask here before they act. */
export class Faults {
  /** Blocks neither leave nor arrive, but the peers stay connected. */
  gossipStopped = false;
  /** No peer reaches this node or is reached. */
  peersLost = false;
  rollupBoost: RollupBoostHealth = 'healthy';
  /** Peers that the execution client counts; undefined: as many as op-node has. */
  executionPeers: number | undefined;
  /** How many blocks the safe head is behind the unsafe one; undefined: it stays at genesis. */
  safeLagBlocks: number | undefined;
  /** Calls of these methods that fail, by the text of the error. */
  readonly failing = new Map<string, string>();
  /** This many more commits reach the conductor, but op-node never sees their answer. */
  commitAnswersToDrop = 0;
  /** This many more commits reach the conductor, but op-node closes the connection before they are answered. */
  commitsToAbandon = 0;
  /** After a failed commit, the block is sealed again with another hash, instead of being committed again. */
  resealing = false;
  readonly slowMs: Record<Program, number> = { 'op-node': 0, execution: 0 };
  readonly #hung = new Map<Program, { ended: Promise<void>; end: () => void }>();

  /** Freezes programs as SIGSTOP does: connections are accepted, nothing is answered, nothing moves. */
  hang(programs: Program[]): void {
    for (const program of programs) {
      if (this.#hung.has(program)) continue;
      let end = () => {};
      const ended = new Promise<void>((resolve) => (end = resolve));
      this.#hung.set(program, { ended, end });
    }
  }

  /** Ends the freeze: waiting calls continue. */
  resume(): void {
    const ended = [...this.#hung.values()];
    this.#hung.clear();
    for (const { end } of ended) end();
  }

  get hung(): Program[] {
    return [...this.#hung.keys()];
  }

  /** Resolves when the program is not frozen: at once, or after the freeze. */
  async running(program: Program): Promise<void> {
    while (this.#hung.has(program)) await this.#hung.get(program)!.ended;
  }
}
