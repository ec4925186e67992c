import type { Logger } from 'pino';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import { StartRefusedError } from '../../rpc/clients/start-refusal.js';

/** Where it is kept while no process runs. */
export interface NodeOverrideStore {
  /** Wall clock in milliseconds; null: op-node asks its conductor. */
  read(): Promise<number | null>;
  /** @throws StorageError */
  write(sinceMs: number | null): Promise<void>;
}

interface NodeOverrideOptions {
  opNode: Pick<OpNodeClient, 'overrideLeader' | 'startSequencer'>;
  /** Null: unknown. */
  isSequencing: () => boolean | null;
  logger: Logger;
}

/** No block has this hash, so a start on it never succeeds. */
const NO_BLOCK = `0x${'00'.repeat(32)}`;

const CALL_TIMEOUT_MS = 2000;
const LOOK_INTERVAL_MS = 2000;

/**
 * Whether op-node got `admin_overrideLeader` through this conductor. op-node does not report it, and only a restart
 * clears it, so it is remembered here: on disk before the call, until op-node is seen to ask its conductor again.
 */
export class NodeOverride {
  private since: number | null = null;
  private store: NodeOverrideStore | undefined;
  private looking = false;
  private nextLookMs = -Infinity;
  /** Grows with each override: a check that began before says nothing about it. */
  private begun = 0;

  constructor(private readonly options: NodeOverrideOptions) {}

  /** Takes over the override that an earlier process left. */
  async restore(store: NodeOverrideStore): Promise<void> {
    this.store = store;
    this.since = await store.read();
  }

  /** Wall clock in milliseconds; null while, as far as known, op-node asks its conductor. */
  get sinceMs(): number | null {
    return this.since;
  }

  /** op-node is being tested: the answer to `conductor_leader` must be no, even if this node leads. */
  get isLooking(): boolean {
    return this.looking;
  }

  /**
   * Makes op-node publish without its conductor. A call whose outcome is unknown counts as done.
   *
   * @throws ClientError, StorageError
   */
  async begin(nowMs: number): Promise<void> {
    const since = this.since ?? nowMs;
    await this.store?.write(since);
    this.since = since;
    this.begun += 1;
    await this.options.opNode.overrideLeader({ timeoutMs: CALL_TIMEOUT_MS });
    this.options.logger.warn('op-node publishes without its conductor until it is restarted');
  }

  /** Checks at intervals whether op-node asks its conductor again, while its sequencer does not run. Never rejects. */
  async look(): Promise<void> {
    const { isSequencing, logger } = this.options;
    const nowMs = performance.now();
    if (this.since === null || this.looking || nowMs < this.nextLookMs || isSequencing() !== false) return;
    this.nextLookMs = nowMs + LOOK_INTERVAL_MS;
    const { begun } = this;
    this.looking = true;
    const isAsking = await this.isAsking().finally(() => (this.looking = false));
    if (!isAsking || this.begun !== begun) return;
    try {
      await this.store?.write(null);
    } catch {
      // This ends the process.
      return;
    }
    this.since = null;
    logger.info('op-node asks its conductor again: it was restarted');
  }

  /**
   * Requests a start that cannot succeed. op-node first checks whether it leads: with the override it does not ask, and
   * goes on to the hash.
   */
  private async isAsking(): Promise<boolean> {
    try {
      await this.options.opNode.startSequencer(NO_BLOCK, { timeoutMs: CALL_TIMEOUT_MS });
      return false;
    } catch (error) {
      if (!(error instanceof StartRefusedError)) return false;
      return error.code === 'not-leader' || error.code === 'leader-check-failed';
    }
  }
}
