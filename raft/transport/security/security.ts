import type { SecureContext } from 'node:tls';
import type { NodeId } from '../../core/configuration.js';
import type { SecurityErrorCode } from './security-error.js';

/** PEM texts. */
export interface CertificateTexts {
  /** The certificate of this node, with the intermediate ones behind it. */
  cert: string;
  key: string;
  /** The certificates of the CAs for members; several while the CA changes. */
  ca: string;
}

/** The certificate that this node proves itself with, and the authorities that it trusts. */
export interface CertificateCredentials {
  kind: 'certificate';
  texts: CertificateTexts;
  context: SecureContext;
  /** When the certificate of this node ends, and the first of the CA's that issued it; ms since 1970. */
  expiresMs: number;
  caExpiresMs: number;
  /** SHA-256 of the certificate of this node, in hex: tells it from the previous one. */
  fingerprint: string;
}

/** A key that all members share. */
export interface SharedKey {
  /** Its name, which goes over the wire in the clear. */
  identity: string;
  key: Buffer;
}

/** A secret of the cluster: members prove with it that they know it, not who they are. */
export interface SecretCredentials {
  kind: 'secret';
  /** The first one is used, all are accepted; at least one. */
  keys: readonly SharedKey[];
}

export type Credentials = CertificateCredentials | SecretCredentials;

/** A connection was refused, by this node or by the peer. */
export interface SecurityRefusal {
  /** Which side of the connection this node is. */
  side: 'listener' | 'dialler';
  code: SecurityErrorCode;
  /** `host:port` of the other side. */
  address: string;
}

/** How the connections between members are secured. */
export interface TransportSecurity {
  /** Called for each connection, so that a change takes effect at once. */
  credentials(): Credentials;
  /** Plain connections are taken as well, and made to a member that supports no other. */
  acceptsPlain: boolean;
  onRefused?(refusal: SecurityRefusal): void;
  /** A connection without any proof was taken or made, which only a transition allows. */
  onPlain?(side: SecurityRefusal['side']): void;
}

/** What the other side of a connection has proved. */
export interface PeerProof {
  /** Whether it may speak as this node. */
  maySpeakAs(id: NodeId): boolean;
  /** What it showed, in words. */
  readonly shown: string;
  /** Whether it would still be a proof, by what this node trusts now. */
  isGood(now: Credentials): boolean;
}
