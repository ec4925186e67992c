import { RpcFault } from './rpc-fault.js';

/**
 * How a call goes wrong.
 *
 * - `hang`: it has no effect and no answer.
 * - `fail`: it has no effect, and an error says so.
 * - `mute`: it has its effect, but no answer.
 */
export type CallFault = 'hang' | 'fail' | 'mute';

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** The current faults of calls to one machine's programs. */
export class CallFaults {
  private readonly byMethod = new Map<string, CallFault>();

  set(method: string, fault: CallFault): void {
    this.byMethod.set(method, fault);
  }

  clear(method: string): void {
    this.byMethod.delete(method);
  }

  clearAll(): void {
    this.byMethod.clear();
  }

  /** Serves a call as far as the fault allows. */
  async serve<T>(method: string, work: () => Promise<T>): Promise<T> {
    switch (this.byMethod.get(method)) {
      case 'hang':
        return never();
      case 'fail':
        throw new RpcFault(`${method} failed`);
      case 'mute':
        await work();
        return never();
      case undefined:
        return work();
    }
  }
}
