import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { unpackTar } from 'modern-tar';
import { runBaton } from '../cluster/run-baton.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const SECRET = 'planted-secret';

/** Settings with secrets in each part of a URL, for a port without a listener. */
const SECRETS = [
  ...['--rollupboost.ws-url', `ws://${SECRET}:${SECRET}@127.0.0.1:9/${SECRET}?key=${SECRET}`],
  ...['--websocket.server-addr', '127.0.0.1', '--websocket.server-port', '0'],
  ...['--healthcheck.execution-p2p-rpc-url', `http://user:${SECRET}@127.0.0.1:9/${SECRET}`],
];

let directory: string;

describeCluster(
  'the archive of a cluster of processes',
  { flags: [...STEADY.flags, ...SECRETS] },
  (cluster, scenario) => {
    beforeAll(async () => {
      directory = await mkdtemp(path.join(os.tmpdir(), 'baton-debug-'));
      await expectHealthy(cluster);
    });
    afterAll(() => rm(directory, { recursive: true, force: true }));

    const archived = async (file: string): Promise<Map<string, string>> => {
      const entries = await unpackTar(gunzipSync(await readFile(file)));
      return new Map(
        entries.map(({ header: { name }, data }) => [
          name.slice(name.indexOf('/') + 1),
          String(Buffer.from(data!)),
        ]),
      );
    };

    scenario('has logs, metrics, versions and settings of each member, and no secret', async () => {
      const { baton } = await cluster.activeLeader();
      const out = path.join(directory, 'all.tar.gz');
      const run = await runBaton(['debug', '--out', out], { BATON_RPC: baton.rpcUrl });
      expect(run).toMatchObject({ code: 0, stderr: '' });
      expect(run.stdout).toMatch(/3 of 3 members answered/);
      const files = await archived(out);
      for (const { id } of cluster.nodes) {
        const read = (name: string): string => files.get(`members/${id}/${name}`) ?? '';
        expect(read('log.jsonl')).toMatch(/"msg":"started"/);
        expect(read('metrics.txt')).toMatch(/^op_conductor_up 1$/m);
        expect(JSON.parse(read('status.json'))).toMatchObject({ id, timing: { profile: null } });
        expect(JSON.parse(read('versions.json'))).toMatchObject({
          node: process.version,
          opNode: { version: 'v0.0.0-dev' },
          execution: { version: expect.stringMatching(/^Geth\//) },
        });
        expect(JSON.parse(read('config.json'))).toMatchObject({
          raft: { serverId: id },
          flashblocks: { upstreamUrl: 'ws://127.0.0.1:9/***' },
        });
      }
      expect([...files.values()].join('\n')).not.toContain(SECRET);
    });

    scenario('is written without the members that are down, and names them', async () => {
      const leader = await cluster.activeLeader();
      const [dead] = cluster.others(leader);
      await dead!.baton.kill();
      const out = path.join(directory, 'two.tar.gz');
      const run = await runBaton(['debug', '--out', out], { BATON_RPC: leader.baton.rpcUrl });
      expect(run.code).toBe(0);
      expect(run.stdout).toMatch(/2 of 3 members answered/);
      expect(run.stderr).toMatch(new RegExp(`^nothing from ${dead!.id}: .*ECONNREFUSED`));
      const files = await archived(out);
      expect(files.get(`members/${dead!.id}/no-answer.txt`)).toContain('ECONNREFUSED');
      expect(files.get('status.txt')).toContain('failure tolerance 0');
    });
  },
);
