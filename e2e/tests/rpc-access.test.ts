import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { request } from 'undici';
import { tokenLine } from '../../rpc/server/access/token-file.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { History } from '../../rpc/server/history.js';
import { runBaton } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

/** Planted: no output of a process may hold them. */
const TOKENS = { operate: 'baton_planted-of-an-operator', emergency: 'baton_planted-for-emergencies' };
const HOLDERS = [
  tokenLine('operator', ['operate'], TOKENS.operate),
  tokenLine('break-glass', ['emergency'], TOKENS.emergency),
];

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

let tokenFile: string;

describeCluster(
  'credentials on the RPC port',
  async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'baton-tokens-'));
    folders.push(folder);
    tokenFile = path.join(folder, 'tokens');
    await writeFile(tokenFile, HOLDERS.join('\n'));
    const flags = [...STEADY.flags, '--rpc.token-file', tokenFile];
    return { ...STEADY, flags, token: TOKENS.emergency, localRpc: true };
  },
  (cluster, scenario) => {
    scenario('blocks flow: op-node uses the local port, and needs no token', async () => {
      await expectHealthy(cluster);
      await cluster.moreBlocks(5);
    });

    scenario('the other port answers no call without one', async () => {
      const [{ baton }] = cluster.nodes as [(typeof cluster.nodes)[number]];
      const { statusCode, body } = await request(baton.rpcUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"conductor_stop"}',
      });
      expect(statusCode).toBe(401);
      expect(await body.text()).toContain('a credential is needed');
      expect(await baton.call('conductor_stopped')).toBe(false);
    });

    scenario('an operator may pause, but not override', async () => {
      const leader = await cluster.activeLeader();
      const env = { BATON_RPC: leader.baton.rpcUrlWith(TOKENS.operate) };
      const follower = cluster.others(leader)[0]!;

      expect((await runBaton(['status'], env)).code).toBe(0);
      const overridden = await runBaton(['override', leader.id, '--force', '--yes'], env);
      expect(overridden.code).not.toBe(0);
      expect(overridden.stderr).toContain('takes the role emergency; "operator" has the role operate');
      expect(await follower.baton.call('conductor_leaderOverridden')).toBe(false);
    });

    scenario(
      'a follower has a pause of the cluster recorded by the leader, with the name of its caller',
      async () => {
        const leader = await cluster.activeLeader();
        const follower = cluster.others(leader)[0]!;
        const ask = async (method: string, order: object): Promise<unknown> => {
          const { body } = await request(follower.baton.rpcUrl, {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKENS.operate}` },
            body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [order] }),
          });
          return body.json();
        };
        const who = { member: null, owner: 'alice', reason: 'a drill' };
        const done = { jsonrpc: '2.0', id: 1, result: null };
        expect(await ask('conductor_beginPause', { ...who, forMs: null })).toEqual(done);
        for (const { baton } of cluster.nodes) {
          await waitFor(`${baton.id} to be paused`, async () => {
            const { maintenance } = await baton.call<ConductorStatus>('conductor_status');
            return maintenance.cluster?.who.owner === 'alice';
          });
        }
        await waitFor('the history of the leader to name the operator', async () => {
          const { entries } = await leader.baton.call<History>('conductor_history', [0]);
          return entries.some(
            ({ node, what, who }) =>
              node === follower.id && what === 'conductor_beginPause' && who.token === 'operator',
          );
        });

        expect(await ask('conductor_endPause', who)).toEqual(done);
        await expectHealthy(cluster);
      },
    );

    scenario('leadership moves and blocks flow on when the leader is killed', async () => {
      const leader = await cluster.activeLeader();
      await cluster.killMachine(leader);
      await cluster.activeAmong(cluster.others(leader));
      await cluster.moreBlocks(5);
      await cluster.restartMachine(leader);
      await expectHealthy(cluster);
    });

    scenario('a token is exchanged without a restart', async () => {
      const { baton } = await cluster.activeLeader();
      const call = async (token: string): Promise<number> => {
        const { statusCode, body } = await request(`${baton.rpcUrl}/clusterz`, {
          headers: { authorization: `Bearer ${token}` },
        });
        await body.dump();
        return statusCode;
      };
      const exchanged = [tokenLine('operator', ['operate'], 'another'), ...HOLDERS.slice(1)].join('\n');
      await writeFile(`${tokenFile}.new`, exchanged);
      await rename(`${tokenFile}.new`, tokenFile);

      await waitFor('a line of log that says so', () =>
        baton.log.some(({ msg }) => msg === 'credentials of the RPC port read again'),
      );
      expect(await call('another')).toBe(200);
      expect(await call(TOKENS.operate)).toBe(401);

      await writeFile(tokenFile, 'not a line of that file');
      await waitFor('a line of log that names the mistake', () =>
        baton.log.some(({ code, reason }) => code === 'credential-file' && /line 1/.test(String(reason))),
      );
      expect(await call('another')).toBe(200);
      await writeFile(tokenFile, exchanged);
    });

    scenario('refused calls are logged and counted, and no log holds a token', async () => {
      const [{ baton }] = cluster.nodes as [(typeof cluster.nodes)[number]];
      const refused = baton.log.filter(({ msg }) => msg === 'call refused on the RPC port');
      expect(refused).toContainEqual(
        expect.objectContaining({ cause: 'no-credential', address: '127.0.0.1' }),
      );
      const written = JSON.stringify(cluster.members.map(({ log }) => log));
      for (const token of Object.values(TOKENS)) expect(written).not.toContain(token);
    });
  },
);
