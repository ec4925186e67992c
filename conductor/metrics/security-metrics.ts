import type { Credentials, SecurityRefusal } from '../../raft/index.js';
import type { Families } from './families.js';

/** How the consensus port is secured. */
export class SecurityMetrics {
  private readonly mode;
  private readonly acceptsPlain;
  private readonly plainConnections;
  private readonly refusals;
  private readonly expiry;
  private readonly staleGauge;

  constructor(families: Families) {
    this.mode = families.gauge(
      'op_conductor_consensus_security',
      '1 for the way in which the consensus port is secured: open, certificate or secret',
      'mode',
    );
    this.mode.set({ mode: 'open' }, 1);
    this.acceptsPlain = families.gauge(
      'op_conductor_consensus_accepts_plain',
      '1 if the consensus port takes plain connections, secured ones besides or not',
    );
    this.acceptsPlain.set(1);
    this.plainConnections = families.counter(
      'op_conductor_consensus_plain_connections_total',
      'Number of plain connections while secured ones are wanted, by the side that this node was on',
      'side',
    );
    this.refusals = families.counter(
      'op_conductor_consensus_connections_refused_total',
      'Number of connections without the proof that they need, by the side that this node was on and code',
      ...(['side', 'code'] as const),
    );
    this.expiry = families.gauge(
      'op_conductor_consensus_certificate_expiry_timestamp_seconds',
      'When the certificate of this node and that of its CA expire, in seconds since 1970',
      'certificate',
    );
    this.staleGauge = families.gauge(
      'op_conductor_consensus_credentials_stale',
      '1 while the credential files hold what cannot be used, and the credentials from before are in use',
    );
  }

  /** These credentials are in use from now on. */
  secured(credentials: Credentials, acceptsPlain: boolean): void {
    this.mode.reset();
    this.mode.set({ mode: credentials.kind }, 1);
    this.acceptsPlain.set(acceptsPlain ? 1 : 0);
    if (credentials.kind !== 'certificate') return;
    this.expiry.set({ certificate: 'own' }, credentials.expiresMs / 1000);
    this.expiry.set({ certificate: 'ca' }, credentials.caExpiresMs / 1000);
  }

  stale(isStale: boolean): void {
    this.staleGauge.set(isStale ? 1 : 0);
  }

  refused(side: SecurityRefusal['side'], code: SecurityRefusal['code']): void {
    this.refusals.inc({ side, code });
  }

  plain(side: SecurityRefusal['side']): void {
    this.plainConnections.inc({ side });
  }
}
