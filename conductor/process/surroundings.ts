import { statfs } from 'node:fs/promises';
import { ExecutionClient } from '../../rpc/clients/execution-client.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { Config } from '../config/config.js';
import { sleep } from '../time/sleep.js';
import { SlowFact } from './slow-fact.js';

const EVERY_MS = 10_000;
const TIMEOUT_MS = 5000;

interface DiskSpace {
  freeBytes: number;
  sizeBytes: number;
}

/** Slowly changing facts around this process, for its status. No decision depends on them. */
export class Surroundings {
  /** Separate, because a connection that ends here must not look like the end of the execution client. */
  private readonly execution: ExecutionClient | undefined;
  private readonly diskSpace: SlowFact<DiskSpace>;
  private readonly chain: SlowFact<number> | undefined;

  constructor({ raft, execution, witness }: Pick<Config, 'raft' | 'execution' | 'witness'>) {
    const each = { everyMs: EVERY_MS, now: () => performance.now(), sleep };
    this.diskSpace = new SlowFact({ ...each, ask: () => spaceAt(raft.storageDir) });
    if (witness) return;
    const client = new ExecutionClient({ url: execution.rpcUrl, timeoutMs: TIMEOUT_MS });
    this.execution = client;
    this.chain = new SlowFact({ ...each, ask: (signal) => client.chainId({ signal }) });
  }

  /** Starts polling; ends with the signal. */
  watch(signal: AbortSignal): void {
    void this.diskSpace.watch(signal);
    void this.chain?.watch(signal);
  }

  get machine(): ConductorStatus['machine'] {
    return { clockMs: Date.now(), storage: this.diskSpace.latest };
  }

  /** Null while the execution client has not reported it, and on a witness. */
  get chainId(): number | null {
    return this.chain?.latest ?? null;
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await this.execution?.close();
  }
}

async function spaceAt(directory: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}
