import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startFakeRpcServer,
  type FakeAnswer,
  type FakeRpcServer,
} from '../../rpc/clients/testing/fake-rpc-server.js';
import { JsonRpcClient } from '../../rpc/clients/json-rpc-client.js';
import { z } from 'zod';
import { inspectDirectory, type LogVisitor } from '../../raft/index.js';
import { parsed } from '../config/testing/command-line.js';
import { Service } from './service.js';
import { hashOf, silent } from '../testing/chain.js';

let directory: string;
let opNode: FakeRpcServer;
let enabled: FakeAnswer;
let active: boolean;
let service: Service;
let fatal: Error[];
let client: JsonRpcClient | undefined;

const block = {
  hash: hashOf(1),
  parentHash: hashOf(0),
  number: 1,
  timestamp: Math.floor(Date.now() / 1000),
};
const hex = { ...block, number: '0x1', timestamp: `0x${block.timestamp.toString(16)}` };

function answer({ method }: { method: string }): FakeAnswer {
  switch (method) {
    case 'admin_conductorEnabled':
      return enabled;
    case 'admin_sequencerActive':
      return { result: active };
    case 'admin_startSequencer':
      active = true;
      return { result: null };
    case 'admin_stopSequencer':
      active = false;
      return { result: block.hash };
    case 'eth_getBlockByNumber':
      return { result: hex };
    case 'optimism_syncStatus':
      return { result: { unsafe_l2: block, safe_l2: block, finalized_l2: block } };
    default:
      return { result: { connected: 1 } };
  }
}

const NO_VISITOR: LogVisitor = { snapshot: () => undefined, entry: () => undefined };

const asked = (method: string): number =>
  opNode.requests.filter((request) => request.method === method).length;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Starts a cluster of one beside the fake op-node. It is paused because it was just founded. */
async function start(nodeUrl = opNode.url, rpcPort = '0'): Promise<void> {
  await startWith([
    ...[`--rpc.port=${rpcPort}`, '--raft.bootstrap'],
    ...[`--node.rpc=${nodeUrl}`, `--execution.rpc=${nodeUrl}`, '--healthcheck.interval=1'],
    ...['--healthcheck.unsafe-interval=3600', '--healthcheck.min-peer-count=1'],
  ]);
}

async function startWith(flags: string[]): Promise<void> {
  const { config } = parsed([
    ...['--consensus.addr=127.0.0.1', '--consensus.port=0', '--rpc.addr=127.0.0.1'],
    ...['--raft.server.id=a', `--raft.storage.dir=${directory}`, ...flags],
  ]);
  service = new Service(config, 'v1', silent, (error) => fatal.push(error));
  const bound = await service.start();
  client = new JsonRpcClient({ url: `http://127.0.0.1:${bound.rpcPort}` });
}

const call = (method: string): Promise<unknown> => client!.call({ method, result: z.unknown() });

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'baton-service-'));
  opNode = await startFakeRpcServer(answer);
  enabled = { result: true };
  active = false;
  fatal = [];
});
afterEach(async () => {
  await service.stop('end of the test');
  await client?.close();
  await opNode.close();
  await rm(directory, { recursive: true, force: true });
});

describe('the start', () => {
  it('is paused after founding a cluster, and sequences after conductor_resume', async () => {
    await start();
    expect(await call('conductor_paused')).toBe(true);
    await until(() => asked('admin_sequencerActive') >= 2);
    expect(asked('admin_startSequencer')).toBe(0);
    await call('conductor_resume');
    await until(() => active);
    expect(fatal).toEqual([]);
  });

  it('does not need op-node: the RPC answers, and the start continues as soon as op-node is there', async () => {
    const { url } = opNode;
    await opNode.close();
    await start(url);
    while (!(await call('conductor_leader'))) await new Promise((resolve) => setTimeout(resolve, 5));
    const reason = expect.stringContaining('ECONNREFUSED');
    expect(await call('conductor_status')).toMatchObject({ node: { reachable: false, reason } });
    opNode = await startFakeRpcServer(answer, Number(new URL(url).port));
    await until(() => asked('admin_sequencerActive') > 0);
    await call('conductor_resume');
    await until(() => active);
    expect(fatal).toEqual([]);
  });

  it('does not touch the sequencer before op-node has confirmed that it asks its conductor', async () => {
    enabled = { error: { code: -32000, message: 'not yet' } };
    await start();
    await call('conductor_resume');
    await until(() => asked('admin_conductorEnabled') >= 4);
    expect(asked('admin_startSequencer')).toBe(0);
    enabled = { error: { code: -32601, message: 'the method admin_conductorEnabled does not exist' } };
    await until(() => active);
  });

  it('is still paused after a restart until it is resumed, and says who paused it', async () => {
    await start();
    await service.stop('a restart');
    await start();
    expect(await call('conductor_paused')).toBe(true);
    const told = { paused: true, active: false, pausedBy: 'bootstrap', pausedSinceMs: expect.any(Number) };
    expect(await call('conductor_status')).toMatchObject(told);
    await until(() => asked('admin_sequencerActive') >= 4);
    expect(asked('admin_startSequencer')).toBe(0);
    await call('conductor_resume');
    expect(await call('conductor_status')).not.toHaveProperty('pausedBy');
    await service.stop('a restart');
    await start();
    expect(await call('conductor_paused')).toBe(false);
    await call('conductor_pause');
    await service.stop('a restart');
    await start();
    expect(await call('conductor_status')).toMatchObject({ ...told, pausedBy: 'conductor_pause' });
  });

  it('of a witness needs no node: it is healthy, can be resumed, and forwards no calls', async () => {
    await startWith(['--witness', '--paused', '--rpc.port=0']);
    expect(await call('conductor_status')).toMatchObject({ witness: true, health: { status: 'healthy' } });
    expect(await call('conductor_sequencerHealthy')).toBe(true);
    await call('conductor_resume');
    expect(await call('conductor_paused')).toBe(false);
    await expect(call('miner_setMaxDASize')).rejects.toThrow('does not exist');
    expect(fatal).toEqual([]);
  });

  it('HandleInitError: reports the port that is taken, and closes everything that was opened', async () => {
    const taken = new URL(opNode.url).port;
    await expect(start(opNode.url, taken)).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining('EADDRINUSE'),
      remedy: expect.stringContaining('--rpc.port'),
    });
    await service.stop('it did not start');
    // Ports come first, so no cluster is left behind.
    const { identity } = await inspectDirectory(path.join(directory, 'a', 'baton'), NO_VISITOR);
    expect(identity).toMatchObject({ nodeId: 'a', clusterId: null });
    // The directory is no longer locked.
    await start();
    expect(fatal).toEqual([]);
  });

  it("ends with op-conductor's text if op-node does not ask its conductor", async () => {
    enabled = { result: false };
    await start();
    await until(() => fatal.length > 0);
    expect(fatal[0]?.message).toBe('conductor is not enabled on sequencer, exiting...');
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked('admin_sequencerActive')).toBe(0);
    expect(asked('admin_startSequencer')).toBe(0);
  });
});
