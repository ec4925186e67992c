import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './json-rpc.js';

const POLL_MS = 500;
/** Six blocks. */
const STUCK_MS = 12_000;

/**
 * Restarts the L1 when it no longer builds blocks: geth's developer mode stops for good when it is late to fetch a
 * block that it has built ("Stopping work on payload, reason=timeout"), and no batch would ever land.
 */
export class L1Watch {
  private stopped = false;
  private readonly loop: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly restart: () => Promise<void>,
    private readonly say: (line: string) => void,
  ) {
    this.loop = this.watch();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.loop;
  }

  private async watch(): Promise<void> {
    let number = '';
    let sinceMs = performance.now();
    while (!this.stopped) {
      const latest = await call<string>(this.url, 'eth_blockNumber').catch(() => number);
      if (latest !== number || number === '') {
        number = latest;
        sinceMs = performance.now();
      } else if (performance.now() - sinceMs > STUCK_MS) {
        this.say(`the L1 is stuck at block ${Number(number)}: it is started again`);
        await this.restart().catch((error: Error) => this.say(error.message));
        sinceMs = performance.now();
      }
      await sleep(POLL_MS);
    }
  }
}
