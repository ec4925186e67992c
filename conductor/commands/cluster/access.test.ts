import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestAuthority } from '../../../raft/transport/testing/certificates.js';
import type { FakeAnswer } from '../../../rpc/clients/testing/fake-rpc-server.js';
import { EXIT } from '../exit-codes.js';
import { runCommand } from '../index.js';
import { stateFile } from '../settings/folders.js';
import { CommandLine } from '../testing/command-line.js';

/** A planted secret: no output of a command may contain it. */
const TOKEN = 'baton_planted';

let t: CommandLine;
let home: string;
let tokenFile: string;

beforeEach(async () => {
  t = await CommandLine.start();
  home = await mkdtemp(path.join(tmpdir(), 'baton-home-'));
  tokenFile = path.join(home, 'token');
  await writeFile(tokenFile, TOKEN, { mode: 0o600 });
});
afterEach(async () => {
  await t.stop();
  await rm(home, { recursive: true });
});

const baton = (...argv: string[]): Promise<number> =>
  runCommand([...argv, '--rpc', t.cluster.url('a')], t.io({ HOME: home }));

/** All servers of the cluster give this answer. */
function answerAll(answer: FakeAnswer): void {
  for (const { server } of t.cluster.members.values()) server.answer = () => answer;
}

/** The credentials that members received. */
const shown = (): (string | undefined)[] =>
  [...t.cluster.members.values()].flatMap(({ server }) =>
    server.requests.map(({ authorization }) => authorization),
  );

const written = (): string => [...t.printed, ...t.noted].join('\n');

describe('commands with credentials', () => {
  it('send the token to the named member and to the members that it lists', async () => {
    t.cluster.obeyPauses();
    expect(await baton('pause', 'b', '--yes', '--token-file', tokenFile)).toBe(EXIT.ok);
    expect(t.cluster.get('b').server.requests.length).toBeGreaterThan(0);
    expect(new Set(shown())).toEqual(new Set([`Bearer ${TOKEN}`]));
  });

  it('write it nowhere', async () => {
    const archive = path.join(home, 'debug.tar.gz');
    const more = ['--token-file', tokenFile];
    expect(await baton('status', '-o', 'json', ...more)).toBe(EXIT.ok);
    await baton('debug', '--out', archive, ...more);
    answerAll({ raw: 'the credential is not valid', status: 401 });
    expect(await baton('status', ...more)).toBe(EXIT.noAnswer);
    await baton('doctor', ...more);
    answerAll('reset');
    await baton('history', ...more);

    const kept = [written(), await readFile(stateFile({ HOME: home })!, 'utf8')];
    kept.push(gunzipSync(await readFile(archive)).toString('latin1'));
    for (const text of kept) {
      expect(text.length).toBeGreaterThan(0);
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(Buffer.from(TOKEN).toString('base64'));
    }
    expect(shown()).toContain(`Bearer ${TOKEN}`);
  });

  it('read it from the environment, and so does the doctor', async () => {
    const io = t.io({ HOME: home, BATON_TOKEN_FILE: tokenFile });
    await runCommand(['doctor', '--rpc', t.cluster.url('a')], io);
    expect(new Set(shown())).toEqual(new Set([`Bearer ${TOKEN}`]));
  });

  it('are refused for the check of a machine', async () => {
    expect(await runCommand(['doctor', '--token-file', tokenFile], t.io())).toBe(EXIT.usage);
    expect(t.failure()).toEqual([expect.stringContaining('credentials are for a cluster'), 'usage']);
  });
});

describe('the scheme of an address', () => {
  it('is reported as wrong for plain HTTP to a port with TLS', async () => {
    const server = createServer(await (await TestAuthority.make()).issue({ dnsNames: ['localhost'] }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    const code = await runCommand(['status', '--rpc', url], t.io({ HOME: home }));
    await new Promise((resolve) => server.close(resolve));

    expect(code).toBe(EXIT.noAnswer);
    expect(t.failure()).toEqual([
      expect.stringContaining(`${url}: it speaks TLS, not plain HTTP`),
      'tls-failed',
    ]);
    expect(t.noted.at(-1)).toContain('give the address with https://');
  });

  it('is reported as wrong for TLS to a plain port', async () => {
    const url = t.cluster.url('a').replace('http:', 'https:');
    expect(await runCommand(['status', '--rpc', url], t.io({ HOME: home }))).toBe(EXIT.noAnswer);
    expect(t.failure()).toEqual([
      expect.stringContaining(`${url}: it speaks plain HTTP, not TLS`),
      'tls-failed',
    ]);
    expect(t.noted.at(-1)).toContain('give the address with http://');
  });

  it('is noted once if a token goes over plain HTTP to another machine', async () => {
    // Reaches this machine, but does not look like it.
    const url = t.cluster.url('a').replace('127.0.0.1', '0.0.0.0');
    const argv = ['status', '--rpc', `${url},${url}/`];
    await runCommand(argv, t.io({ HOME: home, BATON_TOKEN_FILE: tokenFile }));
    const note = expect.stringContaining('the token goes to 0.0.0.0 over plain HTTP');
    expect(t.noted).toEqual([note]);

    await runCommand(argv, t.io({ HOME: home }));
    expect(await baton('status', '--token-file', tokenFile)).toBe(EXIT.ok);
    expect(t.noted).toHaveLength(1);
  });

  it('is the one that a member announces', async () => {
    t.cluster.change('b', { rpcScheme: 'https' });
    expect(await baton('status', '-o', 'json')).toBe(EXIT.ok);
    const { members } = JSON.parse(t.printed.join('')) as { members: { id: string; rpcUrl: string }[] };
    const urls = members.map(({ rpcUrl }) => rpcUrl);
    expect(urls).toEqual([
      t.cluster.url('a'),
      t.cluster.url('b').replace('http:', 'https:'),
      t.cluster.url('c'),
    ]);
    expect(await readFile(stateFile({ HOME: home })!, 'utf8')).toContain(urls[1]!);

    expect(await baton('pause', 'b', '--yes')).toBe(EXIT.failed);
    expect(t.noted.join()).toContain(`${urls[1]}: it speaks plain HTTP, not TLS`);
  });
});

describe('a cluster that refuses access', () => {
  it.each<[string, FakeAnswer, string, string]>([
    [
      'no-credential',
      { raw: 'a credential is needed', status: 401 },
      'wants a credential for conductor_',
      'give a token with --token-file FILE, BATON_TOKEN_FILE, or tokenFile',
    ],
    [
      'unknown-credential',
      { raw: 'the credential is not valid: --rpc.token-file of this node does not name it', status: 401 },
      'does not know the credential that it was shown',
      'baton token new makes a token and its line',
    ],
    [
      'refused-too-often',
      { raw: 'the credential is not valid', status: 429 },
      'has refused this address too often',
      'try again in 10 s',
    ],
    ['role-missing', { raw: 'not you', status: 403 }, 'does not allow conductor_', '--token-file FILE'],
    [
      'role-missing',
      {
        error: {
          code: -32000,
          message: 'conductor_status takes the role read; "op-node" has the role sequencer',
          data: { code: 'role-missing', needs: ['read'], holder: 'op-node' },
        },
      },
      'takes the role read; "op-node" has the role sequencer',
      'show a token of a holder with the role read (--token-file FILE), or add the role to the line of "op-node"',
    ],
  ])('%s: %j', async (code, answer, message, remedy) => {
    answerAll(answer);
    for (const command of [['status'], ['transfer', '--yes'], ['history']]) {
      expect(await baton(...command)).toBe(EXIT.noAnswer);
      expect(t.failure()).toEqual([expect.stringContaining(message), code]);
      expect(t.noted.at(-1)).toContain(remedy);
    }
  });

  it('says at once which role a change needs, and does not ask other members', async () => {
    t.cluster.onCall = (_, method) => ({
      error: {
        code: -32000,
        message: `${method} takes the role operate; "grafana" has the role read`,
        data: { code: 'role-missing', needs: ['operate'], holder: 'grafana' },
      },
    });
    for (const command of [['pause'], ['transfer', 'b']]) {
      t.cluster.calls.length = 0;
      expect(await baton(...command, '--yes')).toBe(EXIT.noAnswer);
      expect(t.failure()[1]).toBe('role-missing');
      expect(t.noted.at(-1)).toContain('a holder with the role operate');
      expect(t.cluster.calls).toHaveLength(1);
    }
    expect(await baton('pause', 'b', '--yes')).toBe(EXIT.failed);
    expect(t.noted.join()).toContain('b: ');
    expect(t.noted.join()).toContain('a holder with the role operate');
  });
});
