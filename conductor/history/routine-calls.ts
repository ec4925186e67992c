import type { ChangeReport } from '../../rpc/server/json-rpc/call-report.js';
import { paramsText } from './operation.js';

/** Clients and methods that are remembered. */
const REMEMBERED_MAX = 100;

/** Tells the news from what a client repeats all the time, as batchers do with their limits on the data of blocks. */
export class RoutineCalls {
  private readonly last = new Map<string, string>();

  /** Whether this client asks for something else than the last time, or with another result. */
  isNews({ method, params, by, failure }: ChangeReport): boolean {
    // Each connection has a port of its own.
    const key = `${method} ${by.address.replace(/:\d+$/, '')}`;
    const now = `${paramsText(params)} ${failure?.message ?? 'done'}`;
    if (this.last.get(key) === now) return false;
    this.last.delete(key);
    this.last.set(key, now);
    for (const oldest of this.last.keys()) {
      if (this.last.size <= REMEMBERED_MAX) break;
      this.last.delete(oldest);
    }
    return true;
  }
}
