import { createHash, timingSafeEqual } from 'node:crypto';
import { ROLES, type Role } from './roles.js';

/** A holder of roles, proved by a token or by a client certificate. */
export interface Holder {
  /** Shown in logs and in the history. */
  readonly name: string;
  readonly roles: readonly Role[];
}

/** The holders that an operator has named in a file. */
export interface Holders {
  /** Hashes of tokens, 32 bytes each. */
  readonly tokens: readonly (Holder & { readonly hash: Buffer })[];
  /** Names in client certificates. */
  readonly certificates: readonly (Holder & { readonly certificate: string })[];
}

/** A line of the file that cannot be read. */
export class TokenFileError extends Error {
  constructor(
    /** Counted from 1. */
    readonly line: number,
    message: string,
  ) {
    super(`line ${line}: ${message}`);
    this.name = 'TokenFileError';
  }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const HASH = /^sha256:([0-9a-f]{64})$/;
const CERTIFICATE = /^cert:(.+)$/;

/**
 * Reads the file of holders. Each line is `NAME ROLE[,ROLE] sha256:HASH` for a token or `NAME ROLE[,ROLE] cert:NAME`
 * for a client certificate; `#` begins a comment. A name may be on several lines, so that a token can be exchanged
 * without a moment in which neither is valid.
 *
 * @throws TokenFileError naming the line, never a wrong hash: somebody may have pasted the token itself
 */
export function parseTokenFile(text: string): Holders {
  const tokens: (Holder & { hash: Buffer })[] = [];
  const certificates: (Holder & { certificate: string })[] = [];
  for (const [index, whole] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const words = whole.replace(/#.*/, '').trim().split(/\s+/).filter(Boolean);
    if (words.length === 0) continue;
    const [name = '', roleList = '', proof = ''] = words;
    if (words.length !== 3) {
      throw new TokenFileError(line, 'expected NAME ROLE[,ROLE] and sha256:HASH or cert:NAME');
    }
    if (!NAME.test(name)) {
      throw new TokenFileError(
        line,
        'a name has 1 to 64 letters, digits and ._@-, and begins with a letter or digit',
      );
    }
    const holder = { name, roles: parseRoles(roleList, line) };
    const hash = HASH.exec(proof)?.[1];
    const certificate = CERTIFICATE.exec(proof)?.[1];
    if (hash !== undefined) tokens.push({ ...holder, hash: Buffer.from(hash, 'hex') });
    else if (certificate !== undefined) certificates.push({ ...holder, certificate });
    else {
      throw new TokenFileError(
        line,
        'the third word is neither sha256: with 64 hex digits nor cert: with a name',
      );
    }
  }
  return { tokens, certificates };
}

function parseRoles(text: string, line: number): Role[] {
  const roles = text.split(',');
  const isRole = (role: string): role is Role => (ROLES as readonly string[]).includes(role);
  if (!roles.every(isRole)) throw new TokenFileError(line, `the roles are ${ROLES.join(', ')}`);
  return roles;
}

/** SHA-256 of a token. Tokens have 256 random bits: a slow hash or a salt would not make them harder to guess. */
function hashOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The line of the file for a token. */
export function tokenLine(name: string, roles: readonly Role[], token: string): string {
  return `${name} ${roles.join(',')} sha256:${hashOfToken(token).toString('hex')}`;
}

/** The holder of this token. All hashes are compared, each in constant time, so the duration reveals none of them. */
export function holderOfToken({ tokens }: Holders, token: string): Holder | undefined {
  const hash = hashOfToken(token);
  let found: Holder | undefined;
  for (const entry of tokens) if (timingSafeEqual(entry.hash, hash)) found = entry;
  return found;
}

/** The holder of a certificate with one of these names. */
export function holderOfCertificate({ certificates }: Holders, names: readonly string[]): Holder | undefined {
  return certificates.find(({ certificate }) => names.includes(certificate));
}
