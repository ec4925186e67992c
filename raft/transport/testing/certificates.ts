// The certificate library needs it.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type Extension,
  type X509Certificate,
} from '@peculiar/x509';
import { readCertificate } from '../security/read-certificate.js';
import type { CertificateCredentials, CertificateTexts, TransportSecurity } from '../security/security.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export interface CertificateChoice {
  uris?: string[];
  dnsNames?: string[];
  /** From now on, in days; negative ones have passed. */
  fromDays?: number;
  untilDays?: number;
  purposes?: string[];
}

type Name = { type: 'url' | 'dns'; value: string };

/** An authority that issues certificates for tests. */
export class TestAuthority {
  private static made = 0;

  private constructor(
    private readonly certificate: X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
  ) {}

  static async make({ fromDays = -1, untilDays = 30 }: CertificateChoice = {}): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: `CN=test authority ${++TestAuthority.made}`,
      keys: keys as never,
      ...lifeOf({ fromDays, untilDays }),
      signingAlgorithm: ALGORITHM,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    return new TestAuthority(certificate, keys);
  }

  get pem(): string {
    return this.certificate.toString('pem');
  }

  /** A certificate with its key, and this authority. */
  async issue(choice: CertificateChoice): Promise<CertificateTexts> {
    const { uris = [], dnsNames = [], purposes = [SERVER_AUTH, CLIENT_AUTH] } = choice;
    const keys = await newKeys();
    const names: Name[] = [
      ...uris.map((value): Name => ({ type: 'url', value })),
      ...dnsNames.map((value): Name => ({ type: 'dns', value })),
    ];
    const extensions: Extension[] = [];
    if (names.length > 0) extensions.push(new SubjectAlternativeNameExtension(names));
    if (purposes.length > 0) extensions.push(new ExtendedKeyUsageExtension(purposes));
    const certificate = await X509CertificateGenerator.create({
      subject: 'CN=test member',
      issuer: this.certificate.subject,
      publicKey: keys.publicKey as never,
      signingKey: this.keys.privateKey as never,
      ...lifeOf(choice),
      signingAlgorithm: ALGORITHM,
      extensions,
    });
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return {
      cert: certificate.toString('pem'),
      key: PemConverter.encode(pkcs8, 'PRIVATE KEY'),
      ca: this.pem,
    };
  }

  /** The credentials of a member, whose certificate names its id. */
  async member(id: string, choice: CertificateChoice = {}): Promise<CertificateCredentials> {
    return readCertificate(await this.issue({ uris: [`baton:${id}`], ...choice }), id);
  }
}

/** A security that stays as it is. */
export const securedBy = (
  credentials: ReturnType<TransportSecurity['credentials']>,
  more: Partial<TransportSecurity> = {},
): TransportSecurity => ({ credentials: () => credentials, acceptsPlain: false, ...more });

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function lifeOf({ fromDays = -1, untilDays = 30 }: CertificateChoice): { notBefore: Date; notAfter: Date } {
  const at = (days: number): Date => new Date(Date.now() + days * DAY_MS);
  return { notBefore: at(fromDays), notAfter: at(untilDays) };
}
