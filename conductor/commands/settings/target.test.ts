import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandError } from '../command-error.js';
import { configFile } from './folders.js';
import { findTarget, type TargetOptions } from './target.js';

let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'baton-home-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const CLUSTERS = `
default: prod
clusters:
  prod:
    rpc: [http://10.0.0.1:8547, 10.0.0.2:8547]
  test:
    rpc: ['[::1]:8547']
`;

function write(text: string, folder = '.config'): string {
  const file = path.join(home, folder, 'baton', 'config.yaml');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const target = (
  options: TargetOptions = {},
  env: Record<string, string> = {},
): ReturnType<typeof findTarget> => findTarget(options, { HOME: home, ...env });

/** Code, message and remedy. */
async function failure(...args: Parameters<typeof target>): Promise<[string, string, string]> {
  try {
    await target(...args);
  } catch (error) {
    if (error instanceof CommandError) return [error.code, error.message, error.remedy];
    throw error;
  }
  throw new Error('no error');
}

describe('17: which cluster a command uses', () => {
  it('is the default of the file if nothing else is given', async () => {
    write(CLUSTERS);
    const prod = {
      urls: ['http://10.0.0.1:8547', 'http://10.0.0.2:8547'],
      name: 'prod',
      credentials: {},
      isGuess: false,
    };
    expect(await target()).toEqual(prod);
    expect(await target({ cluster: 'prod' })).toEqual(prod);
  });

  it('is the only one in the file', async () => {
    write('clusters: {one: {rpc: [a:1]}}');
    expect(await target()).toEqual({ urls: ['http://a:1'], name: 'one', credentials: {}, isGuess: false });
  });

  it.each<[string, TargetOptions, Record<string, string>, string]>([
    ['--rpc', { rpc: 'x:1' }, { BATON_RPC: 'y:2', BATON_CLUSTER: 'prod' }, 'http://x:1'],
    ['--cluster', { cluster: 'test' }, { BATON_RPC: 'y:2' }, 'http://[::1]:8547'],
    ['BATON_RPC', {}, { BATON_RPC: 'y:2', BATON_CLUSTER: 'prod' }, 'http://y:2'],
    ['BATON_CLUSTER', {}, { BATON_CLUSTER: 'test', OP_CONDUCTOR_RPC_PORT: '9' }, 'http://[::1]:8547'],
    ['the conductor of this host', {}, { OP_CONDUCTOR_RPC_PORT: '9' }, 'http://127.0.0.1:9'],
    [
      'the conductor of this host, which may speak TLS,',
      {},
      { OP_CONDUCTOR_RPC_PORT: '9', OP_CONDUCTOR_RPC_TLS_CERT: 'c.pem' },
      'https://127.0.0.1:9',
    ],
  ])('comes from %s before any later source', async (_, options, env, url) => {
    write(CLUSTERS);
    expect((await target(options, env)).urls).toEqual([url]);
  });

  it('has its credentials from the file, relative to the folder of the file', async () => {
    const file = write(
      'clusters: {one: {rpc: [a:1], cacert: ca.pem, cert: c.pem, key: /k.pem, tokenFile: ../t}}',
    );
    const folder = path.dirname(file);
    expect((await target()).credentials).toEqual({
      cacert: path.join(folder, 'ca.pem'),
      cert: path.join(folder, 'c.pem'),
      key: '/k.pem',
      tokenFile: path.join(path.dirname(folder), 't'),
    });
    expect((await target({ rpc: 'a:1' })).credentials).toEqual({});
  });

  it('is a guess without any of them', async () => {
    expect(await target()).toEqual({ urls: ['http://127.0.0.1:8545'], credentials: {}, isGuess: true });
    expect(await findTarget({}, {})).toMatchObject({ isGuess: true });
  });

  it('is read from the folder in XDG_CONFIG_HOME', async () => {
    write('clusters: {x: {rpc: [a:1]}}', 'elsewhere');
    const env = { XDG_CONFIG_HOME: path.join(home, 'elsewhere') };
    expect(await target({ cluster: 'x' }, env)).toMatchObject({ name: 'x' });
    expect(configFile({ HOME: '/h', XDG_CONFIG_HOME: 'relative' })).toBe('/h/.config/baton/config.yaml');
    expect(configFile({ XDG_CONFIG_HOME: 'relative' })).toBeUndefined();
  });
});

describe('17: reports problems with file, field and remedy', () => {
  it.each([
    ['clusters: {prod: {rpc: []}}', 'clusters.prod.rpc: name at least one conductor'],
    ['clusters: {prod: {rpc: a:1}}', 'clusters.prod.rpc: '],
    ['clusters: {prod: {rpc: [ftp://a]}}', 'clusters.prod.rpc.0: give a URL that begins with'],
    ['clusters: {prod: {rpc: [a:1], token: x}}', 'clusters.prod: this version knows no token'],
    ['clusters: {prod: {rpc: [a:1], tokenFile: ""}}', 'clusters.prod.tokenFile: name a file'],
    ['clusters: {prod: {rpc: [a:1], cert: c.pem}}', 'clusters.prod: give cert and key together'],
    ['clusters: {prod: {rpc: [a:1], cacert: [x]}}', 'clusters.prod.cacert: '],
    ['clusters: {a b: {rpc: [a:1]}}', 'clusters.a b: '],
    ['clusters: {}\nowner: me', 'the file: this version knows no owner'],
    ['default: x\nclusters: {prod: {rpc: [a:1]}}', 'default: there is no cluster "x" among prod'],
    ['clusters: [', 'at line 1'],
    ['', 'the file: '],
  ])('%j', async (text, message) => {
    const file = write(text);
    expect(await failure()).toEqual([
      'config-file',
      expect.stringContaining(message),
      expect.stringMatching(/^correct the file/),
    ]);
    expect((await failure())[1]).toMatch(new RegExp(`^${file}: `));
    // Addresses on the command line need no file.
    expect(await target({ rpc: 'a:1' })).toMatchObject({ urls: ['http://a:1'] });
  });

  it('shows no password from the file', async () => {
    write('clusters: {prod: {rpc: [a:1], http://user:s3cret@h: x}}');
    expect((await failure()).join()).not.toContain('s3cret');
  });

  it('names the existing clusters', async () => {
    expect(await failure({ cluster: 'x' })).toEqual([
      'usage',
      `--cluster: there is no cluster "x" in ${home}/.config/baton/config.yaml`,
      expect.stringContaining('there is no such file'),
    ]);
    write(CLUSTERS.replace('default: prod', ''));
    expect(await failure({}, { BATON_CLUSTER: 'x' })).toEqual([
      'usage',
      expect.stringMatching(/^BATON_CLUSTER: there is no cluster "x" in /),
      expect.stringContaining('it has prod, test'),
    ]);
    expect(await failure()).toEqual([
      'usage',
      expect.stringContaining('has several clusters and no default'),
      expect.stringContaining('(prod, test)'),
    ]);
    expect((await failure({ rpc: 'a:1', cluster: 'prod' }))[1]).toBe('give --rpc or --cluster, not both');
  });
});
