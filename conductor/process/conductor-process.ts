import type { Logger } from 'pino';
import { notYetEffective, type Config } from '../config/config.js';
import { shownSettings } from '../config/shown-settings.js';
import { sleep } from '../time/sleep.js';
import { endProcess, EXIT_FATAL, isStuck, killProcess, StuckError } from './end-process.js';
import { LogOutput } from './log-output.js';
import { LogTail } from './log-tail.js';
import { createLogger } from './logger.js';
import { Service } from './service.js';
import { EXIT_INTERRUPTED } from './signals.js';

const EXIT_OK = 0;

/** After a failure, closing may take at most this long before the process ends. */
const CLOSING_MS = 2000;

/** How the process was started. */
export interface StartedAs {
  /** For the log. */
  warnings: readonly string[];
  version: string;
  /** Name of the executable: `baton` or `op-conductor`. */
  program: string;
}

/** The service as a whole process: what it logs, and how it ends. */
export class ConductorProcess {
  private readonly output = new LogOutput();
  private readonly tail = new LogTail();
  private readonly logger: Logger;
  private readonly service: Service;
  private starting: Promise<void> | undefined;
  private isEnding = false;

  constructor(
    private readonly config: Config,
    { warnings, version, program }: StartedAs,
  ) {
    this.logger = createLogger(config, { out: this.output, tail: this.tail, program });
    this.output.onLost = (lines) => this.logger.warn({ lines }, 'log lines were lost: nobody read them');
    this.watchProcess();
    const settings = shownSettings(config);
    this.logger.info({ version, program, nodeVersion: process.version, settings }, 'starting');
    for (const warning of warnings) this.logger.warn(warning);
    const idle = notYetEffective(config);
    if (idle.length > 0) this.logger.warn({ flags: idle }, 'these flags have no effect in this version');
    this.service = new Service(config, version, this.logger, (error) => this.fail(error), this.tail);
  }

  /** Resolves when it serves. A failure ends the process. */
  async start(): Promise<void> {
    if (this.isEnding) return;
    this.starting = this.service.start().then(
      () => undefined,
      // A start that was interrupted on purpose is not a failure.
      (error: Error) => void (this.isEnding || this.fail(error)),
    );
    await this.starting;
  }

  /** Hands over, then ends the process. Kills it if that takes longer than `shutdown-timeout`. */
  end(signal: NodeJS.Signals): void {
    this.isEnding = true;
    const timer = setTimeout(
      () => this.fail(new StuckError('did not stop in time')),
      this.config.shutdownTimeoutMs,
    );
    // A process that is still starting has no leadership to transfer.
    const stopped = this.service.stop(signal).then(() => Promise.race([this.starting, sleep(CLOSING_MS)]));
    void stopped.then(
      () => {
        clearTimeout(timer);
        void this.closeAndEnd(EXIT_OK);
      },
      (error: Error) => this.fail(error),
    );
  }

  /** Ends the process without a transfer of leadership. */
  endNow(signal: NodeJS.Signals): void {
    this.logger.warn({ signal }, 'exiting at once: leadership is not transferred');
    void this.closeAndEnd(EXIT_INTERRUPTED);
  }

  private fail(error: Error): void {
    this.isEnding = true;
    this.logger.fatal({ err: error }, 'exiting');
    void (isStuck(error) ? killProcess(this.output) : this.closeAndEnd(EXIT_FATAL));
  }

  private async closeAndEnd(code: number): Promise<void> {
    const isClosed = await this.service.abandon(CLOSING_MS);
    await (isClosed ? endProcess(code, this.output) : killProcess(this.output));
  }

  /** Node itself would write this to stderr. If nobody reads that pipe, the process would hang in the write. */
  private watchProcess(): void {
    process.on('unhandledRejection', (error) => this.fail(error as Error));
    process.on('uncaughtException', (error) => this.fail(error));
    process.removeAllListeners('warning');
    process.on('warning', (warning) => this.logger.warn({ err: warning }, 'Node.js warning'));
  }
}
