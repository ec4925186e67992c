import type { Logger } from 'pino';
import {
  SecurityError,
  type Credentials,
  type SecurityRefusal,
  type TransportSecurity,
} from '../../../raft/index.js';
import { withDeadline } from '../../../common/deadline.js';
import type { SecurityMetrics } from '../../metrics/security-metrics.js';
import type { Sleep } from '../../time/sleep.js';
import { CredentialTexts, looseFiles, type SecuredConfig } from './credential-files.js';
import { expiryStage, type ExpiryStage } from './expiry.js';

export interface ConsensusSecurityOptions {
  config: SecuredConfig;
  serverId: string;
  metrics: SecurityMetrics;
  logger: Logger;
  sleep: Sleep;
  /** Wall clock, ms. */
  now: () => number;
}

/** How often the files are read. A change takes effect within this time. */
const READ_EVERY_MS = 5000;
const READ_LIMIT_MS = 10_000;
/** How often an expired certificate is logged again. */
const TOLD_AGAIN_MS = 3_600_000;

/** A volume that is being swapped holds an old key and a new certificate for a moment: one failure is not reported. */
const FAILURES_TOLD = 2;

const EXPIRY_TEXT: Record<Exclude<ExpiryStage, 'far'>, string> = {
  soon: 'certificate of the consensus port expires within 14 days',
  'very-soon': 'certificate of the consensus port expires within a day',
  over: 'certificate of the consensus port has expired: peers refuse new connections',
};

type Which = 'own' | 'ca';

/**
 * What this node proves its identity with to the other members. It is read from files at the start, and again when they
 * change. While the files cannot be used, the previous credentials stay in use.
 */
export class ConsensusSecurity implements TransportSecurity {
  private texts: CredentialTexts | undefined;
  private current: Credentials | undefined;
  private failures = 0;
  private failureTold: string | undefined;
  private readonly expiryTold = new Map<Which, { stage: ExpiryStage; expiresMs: number; atMs: number }>();

  constructor(private readonly options: ConsensusSecurityOptions) {}

  get acceptsPlain(): boolean {
    return this.options.config.acceptsPlain;
  }

  credentials(): Credentials {
    if (!this.current) throw new Error('the credentials are not loaded');
    return this.current;
  }

  onRefused({ side, code }: SecurityRefusal): void {
    this.options.metrics.refused(side, code);
  }

  onPlain(side: SecurityRefusal['side']): void {
    this.options.metrics.plain(side);
  }

  /** Reads the files for the first time. @throws SecurityError, CredentialFileError, DeadlineExceeded */
  async load(): Promise<void> {
    const { config, serverId, logger } = this.options;
    this.texts = await this.read();
    this.use(this.texts.credentials(config, serverId));
    for (const { file, mode } of await looseFiles(config)) {
      logger.warn(
        { code: 'loose-mode', file, mode, remedy: `chmod 0600 ${file}, or 0440 with a group of its own` },
        'users of this machine can read or change a secret file',
      );
    }
    if (!config.acceptsPlain) return;
    logger.warn(
      {
        code: 'plain-accepted',
        remedy: 'remove --raft.accept-plain as soon as every member is secured (docs/RUNBOOK.md)',
      },
      'the consensus port also takes plain connections: whoever reaches it can write votes and blocks',
    );
  }

  /** Reads the files repeatedly until the signal fires. */
  async watch(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.options.sleep(READ_EVERY_MS, signal);
      } catch {
        return;
      }
      await this.reload();
    }
  }

  private async reload(): Promise<void> {
    const { config, serverId, logger, metrics } = this.options;
    try {
      const texts = await this.read();
      if (!texts.isSame(this.texts)) {
        const next = texts.credentials(config, serverId);
        this.texts = texts;
        this.use(next);
        logger.info(describe(next), 'credentials of the consensus port changed: the new ones are in use');
      } else if (this.failureTold !== undefined) {
        logger.info('credentials of the consensus port are as they were');
      }
      this.failures = 0;
      this.failureTold = undefined;
      metrics.stale(false);
    } catch (error) {
      this.failed(error as Error);
    }
    this.checkExpiry();
  }

  private read(): Promise<CredentialTexts> {
    // A hung file system must not get more and more reads: the next turn waits for this one.
    return withDeadline(() => CredentialTexts.read(this.options.config), { timeoutMs: READ_LIMIT_MS });
  }

  private use(credentials: Credentials): void {
    this.current = credentials;
    this.options.metrics.secured(credentials, this.acceptsPlain);
    this.checkExpiry();
  }

  /** An error without a code comes from a file system that does not answer. */
  private failed({
    code = 'unreadable-credential-file',
    message,
    remedy = 'check the volume with the files',
  }: Error & { code?: string; remedy?: string }): void {
    this.failures += 1;
    if (this.failures < FAILURES_TOLD) return;
    this.options.metrics.stale(true);
    if (this.failureTold === message) return;
    this.failureTold = message;
    this.options.logger.error(
      { code, reason: message, remedy },
      'new credentials of the consensus port cannot be used: the old ones stay in use',
    );
  }

  private checkExpiry(): void {
    if (this.current?.kind !== 'certificate') return;
    this.checkOne('own', this.current.expiresMs);
    this.checkOne('ca', this.current.caExpiresMs);
  }

  private checkOne(which: Which, expiresMs: number): void {
    const { now, logger } = this.options;
    const nowMs = now();
    const stage = expiryStage(expiresMs, nowMs);
    const told = this.expiryTold.get(which);
    const isTold =
      told?.stage === stage &&
      told.expiresMs === expiresMs &&
      (stage !== 'over' || nowMs - told.atMs < TOLD_AGAIN_MS);
    if (isTold) return;
    this.expiryTold.set(which, { stage, expiresMs, atMs: nowMs });
    if (stage === 'far') return;
    const { code, remedy } = new SecurityError('certificate-expired', '');
    const line = { code, certificate: which, expiresAt: new Date(expiresMs).toISOString(), remedy };
    if (stage === 'soon') logger.warn(line, EXPIRY_TEXT[stage]);
    else logger.error(line, EXPIRY_TEXT[stage]);
  }
}

/** The part of them that may be logged. */
function describe(credentials: Credentials): object {
  if (credentials.kind === 'secret') return { secrets: credentials.keys.length };
  const { expiresMs, fingerprint } = credentials;
  return { fingerprint, expiresAt: new Date(expiresMs).toISOString() };
}
