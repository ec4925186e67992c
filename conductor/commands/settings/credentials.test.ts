import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestAuthority } from '../../../raft/transport/testing/certificates.js';
import { tokenLine } from '../../../rpc/server/access/token-file.js';
import { CommandError } from '../command-error.js';
import { readCredentials, type CredentialPaths } from './credentials.js';

const SECRET = 'baton_planted';

let folder: string;
let ca: string;

const at = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'baton-credentials-'));
  const authority = await TestAuthority.make();
  const [client, other] = await Promise.all([authority.issue({}), authority.issue({})]);
  ca = authority.pem;
  const files: Record<string, string> = {
    'ca.pem': ca,
    'cert.pem': client.cert,
    'key.pem': client.key,
    'other-key.pem': other.key,
    token: `${SECRET}\n`,
    'other-token': 'baton_other',
    'two-tokens': `${SECRET}\n${SECRET}\n`,
    holders: tokenLine('alice', ['read'], SECRET),
    empty: '\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text, { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

const { signal } = new AbortController();

/** File names in the folder of the test. */
function inFolder(names: CredentialPaths): CredentialPaths {
  return Object.fromEntries(Object.entries(names).map(([field, name]) => [field, at(String(name))]));
}

async function readThem(
  options: CredentialPaths,
  ofCluster: CredentialPaths = {},
  env: Record<string, string> = {},
): Promise<Awaited<ReturnType<typeof readCredentials>> & { noted: string[] }> {
  const noted: string[] = [];
  const io = { note: (line: string) => void noted.push(line), signal };
  const sources = { options: inFolder(options), ofCluster: inFolder(ofCluster), env };
  return { ...(await readCredentials(sources, io)), noted };
}

describe('credentials of a command', () => {
  it('are empty unless files are given', async () => {
    expect(await readThem({}, {}, { BATON_TOKEN_FILE: '' })).toEqual({ noted: [] });
  });

  it('are the content of the files', async () => {
    const { token, tls, noted } = await readThem({
      ...{ cacert: 'ca.pem', cert: 'cert.pem', key: 'key.pem', tokenFile: 'token' },
    });
    expect(token).toBe(SECRET);
    expect(tls?.ca?.toString()).toBe(ca);
    expect(tls?.cert?.toString()).toContain('BEGIN CERTIFICATE');
    expect(tls?.key?.toString()).toContain('BEGIN PRIVATE KEY');
    expect(noted).toEqual([]);
  });

  it('come from the options, else from the cluster, else from the environment', async () => {
    const env = { BATON_TOKEN_FILE: at('other-token'), BATON_CACERT: at('ca.pem') };
    expect(await readThem({}, {}, env)).toMatchObject({ token: 'baton_other' });
    expect(await readThem({}, { tokenFile: 'token' }, env)).toMatchObject({ token: SECRET });
    const fromAll = await readThem({ tokenFile: 'other-token' }, { tokenFile: 'token' }, env);
    expect(fromAll).toMatchObject({ token: 'baton_other', tls: { ca: Buffer.from(ca) } });
  });

  it('cause a note if others can read the secret ones', async () => {
    await chmod(at('token'), 0o640);
    await chmod(at('ca.pem'), 0o644);
    const { noted } = await readThem({ tokenFile: 'token', cacert: 'ca.pem' });
    await chmod(at('token'), 0o600);
    expect(noted).toEqual([
      `other users of this machine can read or change ${at('token')} (mode 0640): chmod 0600 ${at('token')}`,
    ]);
  });

  it.each<[CredentialPaths, Record<string, string>, string, string]>([
    [{ cert: 'cert.pem' }, {}, 'usage', 'give --cert and --key together'],
    [{}, { BATON_KEY: 'key.pem' }, 'usage', 'set BATON_CERT and BATON_KEY together'],
    [{ tokenFile: 'nowhere' }, {}, 'credential-file', 'cannot read'],
    [{ tokenFile: 'two-tokens' }, {}, 'credential-file', 'must hold one token and nothing else'],
    [{ tokenFile: 'empty' }, {}, 'credential-file', 'is empty'],
    [{ tokenFile: 'holders' }, {}, 'credential-file', 'holds hashes'],
    [{ cacert: 'token' }, {}, 'credential-file', 'is no certificate in PEM'],
    [{ cert: 'token', key: 'key.pem' }, {}, 'credential-file', 'is no certificate in PEM'],
    [{ cert: 'cert.pem', key: 'other-key.pem' }, {}, 'credential-file', 'is not the private key of'],
    [{ cert: 'cert.pem', key: 'token' }, {}, 'credential-file', 'is not the private key of'],
  ])('%j %j: %s, %s', async (options, env, code, message) => {
    const error = await readThem(options, {}, env).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(`${(error as CommandError).message} ${(error as CommandError).remedy}`).not.toContain(SECRET);
  });
});
