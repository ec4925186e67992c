import type { Block } from '../chain/block-store.js';
import type { Lifetime } from '../time/lifetime.js';

/** op-node's `--conductor.rpc-timeout`: for both attempts together. */
const DEADLINE_MS = 1000;
const ATTEMPTS = 2;
const PAUSE_MS = 50;

/** What op-node asks its conductor; a call that is not answered ends with `lifetime` only. */
export interface ConductorRpc {
  leader(): Promise<boolean>;
  commit(block: Block): Promise<void>;
}

/** op-node's conductor client (`op-node/node/conductor.go`): two attempts within one deadline. */
export class ConductorCalls {
  constructor(
    private readonly rpc: ConductorRpc,
    private readonly lifetime: Lifetime,
  ) {}

  /** @throws Error when the conductor does not say */
  leader(): Promise<boolean> {
    return this.tried(() => this.rpc.leader());
  }

  /** @throws Error when the block must not be published, for all that op-node knows */
  commit(block: Block): Promise<void> {
    return this.tried(() => this.rpc.commit(block));
  }

  private tried<T>(attempt: () => Promise<T>): Promise<T> {
    const { lifetime } = this;
    return new Promise((resolve, reject) => {
      let isOver = false;
      lifetime.after(DEADLINE_MS, () => {
        isOver = true;
        reject(new Error('context deadline exceeded'));
      });
      const tryOnce = (left: number): void => {
        if (isOver) return;
        attempt().then(resolve, (error: Error) => {
          if (left > 1) lifetime.after(PAUSE_MS, () => tryOnce(left - 1));
          else reject(error);
        });
      };
      tryOnce(ATTEMPTS);
    });
  }
}
