/**
 * Why no TLS connection came about.
 *
 * - `plain-port`: the server speaks plain HTTP.
 * - `tls-port`: the server speaks TLS, and was called in plain HTTP.
 * - `untrusted`: nobody whom we trust has issued its certificate.
 * - `other-name`: its certificate is for other hosts.
 * - `expired`: its certificate is not valid today.
 * - `certificate-refused`: it wants a client certificate, or another one.
 * - `other`: OpenSSL has no plain words for it.
 */
export type TlsProblem =
  'plain-port' | 'tls-port' | 'untrusted' | 'other-name' | 'expired' | 'certificate-refused' | 'other';

const PROBLEMS: readonly (readonly [RegExp, TlsProblem])[] = [
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/, 'plain-port'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'other-name'],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'expired'],
  [/SELF_SIGNED|^UNABLE_TO_(GET|VERIFY)|^CERT_|^INVALID_(CA|PURPOSE)$/, 'untrusted'],
  [/^ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA)/, 'certificate-refused'],
  [/^ERR_(SSL|TLS)_/, 'other'],
];

export const TLS_TEXTS: Readonly<Record<TlsProblem, string>> = {
  'plain-port': 'it speaks plain HTTP, not TLS',
  'tls-port': 'it speaks TLS, not plain HTTP',
  untrusted: 'its certificate is not from an authority that is trusted here',
  'other-name': 'its certificate is for other names',
  expired: 'its certificate is not valid today',
  'certificate-refused': 'it refuses the certificate that it was shown, or wants one',
  other: 'no TLS connection',
};

/** What Node's errors have; `cert` is what the server showed. */
interface NodeFailure {
  code: unknown;
  message: string;
  errors: unknown[];
  cert: { subjectaltname?: string };
}

/** What went wrong with TLS, and in words; undefined for failures of another kind. */
export function tlsFailure(error: unknown): { problem: TlsProblem; text: string } | undefined {
  const { code, message, errors, cert } = (error ?? {}) as Partial<NodeFailure>;
  // A host with several addresses: what the first says holds for all.
  if (errors) return errors.map(tlsFailure).find((failure) => failure !== undefined);
  if (typeof code !== 'string') return undefined;
  const reason = code === 'EPROTO' ? reasonIn(message) : code;
  const problem = PROBLEMS.find(([pattern]) => pattern.test(reason))?.[1];
  if (!problem) return undefined;
  const text = TLS_TEXTS[problem];
  if (problem === 'other-name') return { problem, text: `${text}: ${cert?.subjectaltname || 'none'}` };
  return { problem, text: problem === 'plain-port' ? text : `${text} (${reason})` };
}

/** A failed write has only OpenSSL's text, `error:0A00010B:SSL routines:ssl3_get_record:wrong version number:…`. */
function reasonIn(message = ''): string {
  const reason = /:SSL routines:[^:]*:([\w /]+)/.exec(message)?.[1] ?? 'handshake failed';
  return `ERR_SSL_${reason.replace(/\W+/g, '_').toUpperCase()}`;
}
