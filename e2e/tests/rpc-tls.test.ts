import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect } from '@jest/globals';
import { TestAuthority } from '../../raft/transport/testing/certificates.js';
import { tokenLine } from '../../rpc/server/access/token-file.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

/** Planted: no output of a process may hold them. */
const TOKENS = {
  read: 'baton_planted-of-a-reader',
  operate: 'baton_planted-of-an-operator',
  emergency: 'baton_planted-for-emergencies',
};
type Role = keyof typeof TOKENS;
const ROLES = Object.keys(TOKENS) as Role[];

let folder: string;
const at = (name: string): string => path.join(folder, name);
const tokenFile = (role: Role): string[] => ['--token-file', at(`${role}-token`)];
const cacert = (): string[] => ['--cacert', at('ca.pem')];

afterAll(() => rm(folder, { recursive: true }));

/** Writes all files, and returns the flags that name them. */
async function writeFiles(authority: TestAuthority): Promise<string[]> {
  folder = await mkdtemp(path.join(os.tmpdir(), 'baton-rpc-tls-'));
  const server = await authority.issue({ dnsNames: ['localhost'] });
  const client = await authority.issue({ dnsNames: ['operator.example'] });
  const holders = [
    ...ROLES.map((role) => tokenLine(`${role}-holder`, [role], TOKENS[role])),
    'operator operate cert:operator.example',
  ];
  const files = {
    ...{ 'ca.pem': authority.pem, 'server.pem': server.cert, 'server-key.pem': server.key },
    ...{ 'client.pem': client.cert, 'client-key.pem': client.key, holders: holders.join('\n') },
    ...Object.fromEntries(ROLES.map((role) => [`${role}-token`, TOKENS[role]])),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text, { mode: 0o600 });
  return [
    ...['--rpc.tls.cert', at('server.pem'), '--rpc.tls.key', at('server-key.pem')],
    ...['--rpc.tls.client-ca', at('ca.pem'), '--rpc.token-file', at('holders')],
  ];
}

describeCluster(
  'a cluster with TLS and tokens on the RPC port',
  async () => {
    const authority = await TestAuthority.make();
    const flags = [...STEADY.flags, ...(await writeFiles(authority))];
    return {
      ...{ ...STEADY, flags, token: TOKENS.emergency, localRpc: true },
      ...{ rpcAuthority: authority.pem, nameOf: () => 'localhost' },
    };
  },
  (cluster, scenario) => {
    /** Calls one follower, so that the leader must be found. */
    const baton = async (...argv: string[]): Promise<BatonRun> => {
      const follower = cluster.others(await cluster.activeLeader())[0]!;
      return runBaton(argv, { BATON_RPC: follower.baton.rpcUrl, HOME: folder });
    };
    const expectFailure = ({ code, stderr }: BatonRun, error: string, remedy: string): void => {
      expect(stderr).toContain(`(${error})`);
      expect(stderr).toContain(remedy);
      expect(code).toBe(4);
    };

    scenario('is observed and controlled through one address', async () => {
      await expectHealthy(cluster);
      const before = await cluster.activeLeader();
      const credentials = [...cacert(), ...tokenFile('operate')];

      expect(await baton('status', ...credentials)).toMatchObject({ code: 0, stderr: '' });
      expect(await baton('pause', '--yes', ...credentials)).toMatchObject({ code: 0 });
      expect(await before.baton.call('conductor_paused')).toBe(true);
      expect(await baton('resume', '--yes', ...credentials)).toMatchObject({ code: 0 });
      expect(await baton('transfer', '--yes', ...credentials)).toMatchObject({ code: 0 });
      expect((await cluster.activeLeader()).id).not.toBe(before.id);
      await cluster.moreBlocks(5);
    });

    scenario('takes a client certificate as well as a token', async () => {
      const shown = [...cacert(), '--cert', at('client.pem'), '--key', at('client-key.pem')];
      const { id } = await cluster.activeLeader();
      expect(await baton('transfer', '--yes', ...shown)).toMatchObject({ code: 0 });
      expect((await cluster.activeLeader()).id).not.toBe(id);
    });

    scenario('refuses callers without them, and says what to do', async () => {
      const { id } = await cluster.activeLeader();
      for (const command of [['status'], ['pause', '--yes'], ['transfer', '--yes']]) {
        const run = (...more: string[]): Promise<BatonRun> => baton(...command, ...more);
        expectFailure(await run(...tokenFile('operate')), 'tls-failed', '--cacert FILE');
        expectFailure(await run(...cacert()), 'no-credential', 'give a token with --token-file FILE');
      }
      for (const command of ['pause', 'transfer']) {
        const run = await baton(command, '--yes', ...cacert(), ...tokenFile('read'));
        expectFailure(run, 'role-missing', 'a holder with the role operate');
      }
      expect((await cluster.activeLeader()).id).toBe(id);
    });

    scenario('checks names, and says which scheme is wanted', async () => {
      const { baton: member } = await cluster.activeLeader();
      const credentials = [...cacert(), ...tokenFile('read')];
      const ask = (rpc: string): Promise<BatonRun> => runBaton(['status', '--rpc', rpc, ...credentials]);

      expectFailure(
        await ask(member.rpcUrl.replace('localhost', '127.0.0.1')),
        'tls-failed',
        'DNS:localhost',
      );
      expectFailure(await ask(member.rpcUrl.replace('https', 'http')), 'tls-failed', 'with https://');
    });

    scenario('is called with the credentials in the file of clusters, and no secret is written', async () => {
      const { baton: member } = await cluster.activeLeader();
      await mkdir(at('.config/baton'), { recursive: true });
      const entry = `{rpc: ['${member.rpcUrl}'], cacert: ../../ca.pem, tokenFile: ../../operate-token}`;
      await writeFile(at('.config/baton/config.yaml'), `clusters: {prod: ${entry}}\n`);

      const status = await runBaton(['status', '-o', 'json'], { HOME: folder });
      const doctor = await runBaton(['doctor', '--rpc', member.rpcUrl], {
        HOME: folder,
        BATON_CACERT: at('ca.pem'),
        BATON_TOKEN_FILE: at('operate-token'),
      });
      const debug = await runBaton(['debug', '--out', at('debug.tar.gz')], { HOME: folder });

      expect(status).toMatchObject({ code: 0, stderr: '' });
      expect(doctor.stdout).not.toContain('no-answer');
      expect(debug).toMatchObject({ code: 0, stdout: expect.stringContaining('3 of 3 members answered') });
      const archive = gunzipSync(await readFile(at('debug.tar.gz'))).toString('latin1');
      const remembered = await readFile(at('.local/state/baton/members.json'), 'utf8');
      expect(archive).toContain('"rpcScheme": "https"');
      expect(remembered).toContain('https://localhost:');
      const written = [archive, remembered, JSON.stringify([status, doctor, debug])];
      written.push(JSON.stringify(cluster.members.map(({ log }) => log)));
      const secrets = [...Object.values(TOKENS), 'PRIVATE KEY'];
      for (const text of written) for (const secret of secrets) expect(text).not.toContain(secret);
    });
  },
);
