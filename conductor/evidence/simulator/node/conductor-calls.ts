import type { Block } from '../chain/block-store.js';
import type { Lifetime } from '../time/lifetime.js';

/** op-node's `--conductor.rpc-timeout`: for both attempts together. */
const DEADLINE_MS = 1000;
const ATTEMPTS = 2;
const PAUSE_MS = 50;

/** op-node's calls to its conductor. An unanswered call ends only with `lifetime`. */
export interface ConductorRpc {
  leader(): Promise<boolean>;
  /** @param gone fires when op-node gives up */
  commit(block: Block, gone: AbortSignal): Promise<void>;
}

/** op-node's conductor client (`op-node/node/conductor.go`): two attempts within one deadline. */
export class ConductorCalls {
  constructor(
    private readonly rpc: ConductorRpc,
    private readonly lifetime: Lifetime,
  ) {}

  /** @throws Error when the conductor does not answer */
  leader(): Promise<boolean> {
    return this.tried(() => this.rpc.leader());
  }

  /** @throws Error when the block must not be published, as far as op-node knows */
  commit(block: Block): Promise<void> {
    return this.tried((gone) => this.rpc.commit(block, gone));
  }

  private tried<T>(attempt: (gone: AbortSignal) => Promise<T>): Promise<T> {
    const { lifetime } = this;
    return new Promise((resolve, reject) => {
      const gone = new AbortController();
      let isOver = false;
      const end = (settle: () => void): void => {
        isOver = true;
        forget();
        // Nobody reads answers to a dead process.
        if (!lifetime.isOver) settle();
      };
      const forget = lifetime.onEnd(() => gone.abort());
      lifetime.after(DEADLINE_MS, () => {
        if (isOver) return;
        gone.abort();
        end(() => reject(new Error('context deadline exceeded')));
      });
      const tryOnce = (left: number): void => {
        if (isOver) return;
        attempt(gone.signal).then(
          (value) => end(() => resolve(value)),
          (error: Error) => {
            if (left > 1) lifetime.after(PAUSE_MS, () => tryOnce(left - 1));
            else end(() => reject(error));
          },
        );
      };
      tryOnce(ATTEMPTS);
    });
  }
}
