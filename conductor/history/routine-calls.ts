import type { ChangeReport } from '../../rpc/server/json-rpc/call-report.js';
import { paramsText } from './operation.js';

/** How many clients and methods are remembered. */
const REMEMBERED_MAX = 100;

/** Tells new calls from routine repetitions, such as a batcher's calls that limit the data of blocks. */
export class RoutineCalls {
  private readonly last = new Map<string, string>();

  /** Whether this call or its result differs from this client's last one. */
  isNews({ method, params, by, failure }: ChangeReport): boolean {
    // Each connection has its own port.
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
