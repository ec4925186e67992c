import type { IncomingMessage } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { FakeUpstream } from '../../rpc/flashblocks/testing/fake-upstream.js';
import { BatonProcess } from '../cluster/baton-process.js';
import { runBaton } from '../cluster/run-baton.js';
import { ScriptedNode } from '../cluster/scripted-node.js';
import { timeline } from '../cluster/timeline.js';
import { waitFor } from '../cluster/wait-for.js';
import { pickPorts } from '../devnet/devnet-process.js';

const hasIpv6 = Object.values(os.networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);
if (!hasIpv6) console.warn('addresses.test.ts skips: this machine has no [::1]');

const USER = 'operat0r';
const PASSWORD = 's3cret!';
const KEY = 'k3yinpath';
const AUTHORIZATION = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
const SECRETS = [
  USER,
  PASSWORD,
  encodeURIComponent(PASSWORD),
  's3cret',
  KEY,
  AUTHORIZATION.slice('Basic '.length),
];

/** With user name, password, and a key in the path. */
const secret = (url: string): string => `${url.replace('//', `//${USER}:s3cret%21@`)}/${KEY}`;

/** Three Batons that listen only on [::1], beside programs that require credentials. */
(hasIpv6 ? describe : describe.skip)('IPv6 addresses, and URLs with user name and password', () => {
  const ids = ['a', 'b', 'c'];
  let directory: string;
  let node: ScriptedNode;
  let upstream: FakeUpstream;
  let batons: BatonProcess[];
  let metricsPort: number;
  let webSocketPort: number;
  const refused: unknown[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'baton-addresses-'));
    node = await ScriptedNode.start();
    node.authorization = AUTHORIZATION;
    upstream = await FakeUpstream.start(0, {
      verifyClient: ({ req }: { req: IncomingMessage }) => {
        if (req.headers.authorization !== AUTHORIZATION) refused.push(req.headers.authorization);
        return req.headers.authorization === AUTHORIZATION;
      },
    });
    const ports = await pickPorts(8);
    [metricsPort, webSocketPort] = ports.slice(6) as [number, number];
    const peers = ids.map((id, at) => `${id}@[::1]:${ports[2 * at]}`).join(',');
    const first = [
      ...['--metrics.enabled', '--metrics.addr', '[::1]', '--metrics.port', String(metricsPort)],
      ...['--rollupboost.ws-url', `${upstream.url.replace('//', `//${USER}:s3cret%21@`)}?key=${KEY}`],
      ...['--websocket.server-addr', '::1', '--websocket.server-port', String(webSocketPort)],
    ];
    batons = ids.map(
      (id, at) =>
        new BatonProcess({
          id,
          storageDir: path.join(directory, id),
          machine: { host: '[::1]', enter: [] },
          consensusPort: ports[2 * at]!,
          rpcPort: ports[2 * at + 1]!,
          nodeRpc: secret(node.url),
          executionRpc: secret(node.url),
          flags: [
            ...['--raft.peers', peers, '--log.level', 'trace', '--rollup-boost.enabled'],
            ...['--healthcheck.unsafe-interval', '9999999999'],
            ...(at === 0 ? first : []),
          ],
        }),
    );
    await Promise.all(batons.map((baton) => baton.start()));
  });

  afterAll(async () => {
    await Promise.all(batons.map((baton) => baton.dispose()));
    node.stop();
    await upstream.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const everythingShown: string[] = [];

  const run = async (...argv: string[]): Promise<number> => {
    const { code, stdout, stderr } = await runBaton(argv);
    everythingShown.push(stdout, stderr);
    return code;
  };

  // All three share one node, so their sequencers are active together.
  it('the cluster forms, all voters keep up, and it answers the command line', async () => {
    const { options } = batons[0]!;
    await waitFor('all voters to keep up', async () => {
      await run('status', '--rpc', `[::1]:${options.rpcPort}`);
      return everythingShown.at(-2)!.includes(': 3 of 3 voters keep up, failure tolerance 1\n');
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${everythingShown.at(-2)}\n${timeline(batons)}`);
    });
    const { servers } = await batons[0]!.call<{ servers: { addr: string }[] }>('conductor_clusterMembership');
    expect(servers.map(({ addr }) => addr)).toEqual(
      batons.map(({ options: { consensusPort } }) => `[::1]:${consensusPort}`),
    );
    // To a member without a given URL: it follows from the consensus address.
    expect(await run('pause', 'b', '--yes', '--rpc', batons[0]!.rpcUrl)).toBe(0);
    expect(await run('resume', 'b', '--yes', '--rpc', batons[0]!.rpcUrl)).toBe(0);
  });

  it('all requests carry their credentials', async () => {
    await waitFor('flashblocks', () => upstream.connections.length === 1);
    expect(refused).toEqual([]);
    const { body, statusCode } = await request(`http://[::1]:${metricsPort}/metrics`);
    const page = await body.text();
    everythingShown.push(page);
    expect(statusCode).toBe(200);
    expect(page).toContain(`source="${upstream.url}"`);
    const socket = await request(`http://[::1]:${webSocketPort}/ws`);
    expect(socket.statusCode).toBe(426);
  });

  it('no output contains a user name, password or key, even when calls fail', async () => {
    await upstream.stop();
    node.authorization = 'somebody else';
    await waitFor('failed calls', async () => {
      const status = await batons[0]!.call('conductor_status');
      everythingShown.push(JSON.stringify(status));
      return (status as { node: { reachable: boolean } }).node.reachable ? false : true;
    });
    node.stop();
    await waitFor('refused connections', async () =>
      JSON.stringify(await batons[0]!.call('conductor_status')).includes('ECONNREFUSED'),
    );
    everythingShown.push(JSON.stringify(await batons[0]!.call('conductor_clusterStatus')));
    expect(await run('status', '--json', '--rpc', secret(batons[0]!.rpcUrl))).toBe(4);
    expect(await run('status', '--rpc', secret('http://[::1]:1'))).toBe(4);
    for (const baton of batons) {
      everythingShown.push(...baton.log.map((line) => JSON.stringify(line)), baton.tail());
    }
    const leaks = SECRETS.filter((text) => everythingShown.some((shown) => shown.includes(text)));
    expect(leaks).toEqual([]);
    expect(everythingShown.join('\n')).toContain('ECONNREFUSED');
    expect(everythingShown.join('\n')).toContain('HTTP status 401');
  });
});
