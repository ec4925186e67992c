import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RealNetwork, type NetworkOptions } from './network.js';

/** What remains of a network that has ended. */
export type Remains = 'nothing' | 'logs' | 'everything';

/** A network in a folder of its own, which ends at the latest with this process. */
export class TemporaryNetwork {
  private hasEnded = false;
  private readonly atExit: () => void;

  private constructor(
    readonly network: RealNetwork,
    private readonly options: NetworkOptions,
    private readonly say: (line: string) => void,
  ) {
    this.atExit = () => this.leave('logs');
    process.once('exit', this.atExit);
  }

  /** Nothing runs yet. */
  static async plan(
    options: Omit<NetworkOptions, 'folder'>,
    say: (line: string) => void,
  ): Promise<TemporaryNetwork> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'baton-real-'));
    const whole = { ...options, folder };
    return new TemporaryNetwork(await RealNetwork.plan(whole), whole, say);
  }

  /** Ends every program, then removes what should not remain. */
  async end(remains: Remains): Promise<void> {
    this.network.programs.killAll();
    await this.network.programs.allEnded();
    this.leave(remains);
    process.off('exit', this.atExit);
  }

  /** Synchronous, for the exit handler. */
  private leave(remains: Remains): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const { network, options, say } = this;
    network.programs.killAll();
    options.environment.remove();
    if (remains === 'everything') return say(`everything is kept in ${options.folder}`);
    const removed = remains === 'logs' ? network.chainFolder : options.folder;
    rmSync(removed, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    if (remains === 'logs') say(`logs are in ${network.logFolder}`);
  }
}
