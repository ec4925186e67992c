import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Option, type Command } from 'commander';
import type { ClientTls } from '../../../common/dialer.js';
import type { Environment } from '../../config/read-values.js';
import { CommandError } from '../command-error.js';

/** Files that authenticate the caller, and say whom to trust. */
export interface CredentialPaths {
  cacert?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  tokenFile?: string | undefined;
}

/** The content of those files. */
export interface Credentials {
  token?: string;
  tls?: ClientTls;
}

interface Sources {
  /** As given to the command. */
  options: CredentialPaths;
  /** Of the named cluster, in the user's configuration. */
  ofCluster: CredentialPaths | undefined;
  env: Environment;
}

const OTHERS_MAY_READ_OR_CHANGE = 0o077;
/** A header must not hold anything else. */
const TOKEN = /^[\x21-\x7e]+$/;

/** Adds the options of all commands that call a conductor. */
export function withCredentialOptions(command: Command): Command {
  const files: [string, string, string][] = [
    ['--cacert <file>', 'authority that https conductors must have their certificate from', 'BATON_CACERT'],
    ['--cert <file>', 'client certificate to show them', 'BATON_CERT'],
    ['--key <file>', 'its private key', 'BATON_KEY'],
    ['--token-file <file>', 'file with the token to show them', 'BATON_TOKEN_FILE'],
  ];
  for (const [name, text, variable] of files) {
    command.addOption(new Option(name, `${text} (env: ${variable})`));
  }
  return command;
}

/**
 * Reads the files with credentials: those of the options, else those of the cluster in the user's configuration, else
 * those of the variables. A cluster's own files come before the variables, so no cluster gets the token of another.
 *
 * @param note is told about files that others can read
 * @throws CommandError `usage`, `credential-file`
 */
export async function readCredentials(
  sources: Sources,
  { note, signal }: { note: (line: string) => void; signal: AbortSignal },
): Promise<Credentials> {
  const { cacert, cert, key, tokenFile } = choose(sources);
  for (const secret of [key, tokenFile]) if (secret !== undefined) await noteLoose(secret, note);
  const contents = await Promise.all([cacert, cert, key, tokenFile].map((file) => read(file, signal)));
  const [ca, certificate, privateKey, token] = contents;
  if (ca) check(cacert!, 'is no certificate in PEM', () => new X509Certificate(ca));
  if (certificate) {
    check(cert!, 'is no certificate in PEM', () => new X509Certificate(certificate));
    check(key!, `is not the private key of ${cert}, in PEM and without a password`, () =>
      createSecureContext({ cert: certificate, key: privateKey }),
    );
  }
  return {
    ...((ca || certificate) && { tls: { ca, cert: certificate, key: privateKey } }),
    ...(token && { token: tokenIn(tokenFile!, token.toString()) }),
  };
}

function choose({ options, ofCluster = {}, env }: Sources): CredentialPaths {
  const ofVariables: CredentialPaths = {
    cacert: env['BATON_CACERT'] || undefined,
    cert: env['BATON_CERT'] || undefined,
    key: env['BATON_KEY'] || undefined,
    tokenFile: env['BATON_TOKEN_FILE'] || undefined,
  };
  if (!isPair(options)) throw new CommandError('usage', 'give --cert and --key together');
  if (!isPair(ofVariables)) throw new CommandError('usage', 'set BATON_CERT and BATON_KEY together');
  const all = [options, ofCluster, ofVariables];
  const pair = all.find(({ cert }) => cert !== undefined);
  return {
    cacert: all.find(({ cacert }) => cacert !== undefined)?.cacert,
    cert: pair?.cert,
    key: pair?.key,
    tokenFile: all.find(({ tokenFile }) => tokenFile !== undefined)?.tokenFile,
  };
}

/** A certificate is of no use without its key. */
export function isPair({ cert, key }: CredentialPaths): boolean {
  return (cert === undefined) === (key === undefined);
}

async function read(file: string | undefined, signal: AbortSignal): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, { signal });
  } catch (error) {
    throw new CommandError('credential-file', `cannot read ${file}: ${(error as Error).message}`);
  }
}

async function noteLoose(file: string, note: (line: string) => void): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile() || (found.mode & OTHERS_MAY_READ_OR_CHANGE) === 0) return;
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  note(`other users of this machine can read or change ${file} (mode ${mode}): chmod 0600 ${file}`);
}

function check(file: string, problem: string, use: () => unknown): void {
  try {
    use();
  } catch {
    // OpenSSL's own text says less.
    throw new CommandError('credential-file', `${file} ${problem}`);
  }
}

/** Quotes nothing from the file: even content that is not a token may be secret. */
function tokenIn(file: string, text: string): string {
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  const isOfHolders = /\bsha256:[0-9a-f]{64}\b/.test(text);
  throw new CommandError(
    'credential-file',
    token === ''
      ? `${file} is empty: it must hold one token`
      : isOfHolders
        ? `${file} holds hashes: that is a file for --rpc.token-file of the conductors, from which no token can be read`
        : `${file} must hold one token and nothing else`,
  );
}
