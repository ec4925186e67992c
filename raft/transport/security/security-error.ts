/** What an operator can do, by code. */
const REMEDIES = {
  'unreadable-certificate':
    'give PEM files: the certificate of this node, with the intermediate ones behind it, and the certificates of the CA',
  'unreadable-key': "give the private key of this node's certificate as PEM, without a passphrase",
  'key-mismatch': 'give the key that belongs to the certificate: both files must come from one issuance',
  'id-not-named':
    'issue a certificate that names the server id: the URI SAN baton:ID, or a DNS SAN that is the id (docs/SECURITY.md)',
  'wrong-purpose':
    'issue the certificate for both server auth and client auth: a member is dialled and dials',
  'wrong-ca': 'give a CA file that has the issuer of the certificate, the same on every member',
  'certificate-expired':
    'renew the certificate and put it in place of the old one: it is read again within seconds, without a restart',
  'weak-secret': 'write at least 32 characters on a line, such as those of: openssl rand -hex 32',
  'no-secret': 'write one secret on a line, two at most; the first one is used, both are accepted',
  'peer-speaks-plain':
    'give the member the same security flags as the others; while a cluster is being secured, --raft.accept-plain on every member (docs/RUNBOOK.md)',
  'peer-speaks-tls':
    'give this node the same security flags as the others; while a cluster is being secured, --raft.accept-plain on every member (docs/RUNBOOK.md)',
  'peer-not-trusted':
    "compare the CA files of both members: the certificate of the one must be issued by the CA of the other's file",
  'peer-expired':
    'renew the certificate of that member: it is read again within seconds, without a restart; if it is not expired, set the clocks right',
  'peer-not-named':
    'another member answers at this address, or its certificate names another id: correct the address, or issue a certificate that names the id',
  'wrong-secret': 'put the same secret into the file of every member (docs/RUNBOOK.md)',
  'handshake-failed':
    'only members of the cluster may talk to the consensus port: find out who connects to it',
  'handshake-timeout':
    'look for what lies between the two nodes; only members of the cluster may talk to the consensus port',
} as const;

/** What is wrong with a credential of this node, or with a connection that was to be secured. */
export type SecurityErrorCode = keyof typeof REMEDIES;

/** A credential that cannot be used, or a peer that did not prove what it must. */
export class SecurityError extends Error {
  override readonly name = 'SecurityError';
  readonly remedy: string;

  constructor(
    readonly code: SecurityErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.remedy = REMEDIES[code];
  }
}
