import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { StorageError, type CoreStatus, type Member, type Outcome } from '../../raft/index.js';
import { parseConfig } from '../config/parse-config.js';
import type { Config } from '../config/config.js';
import { sleep } from '../time/sleep.js';
import { foundsAlone, joinOrFound } from './join-or-found.js';

let identity: { nodeId: string; incarnation: string; clusterId: string | null };
let founded: Member[][];
let outcome: () => Promise<Outcome<object>>;
let logged: string[];

const raft = {
  get identity() {
    return identity;
  },
  status: () => ({ lastIndex: 0, term: 0 }) as CoreStatus,
  bootstrap: async (members: readonly Member[]) => {
    founded.push([...members]);
    return outcome();
  },
};

function configOf(flags: readonly string[]): Config {
  const parsed = parseConfig(
    [
      ...[
        '--consensus.addr=127.0.0.1',
        '--consensus.port=0',
        '--raft.server.id=a',
        '--raft.storage.dir=/data',
      ],
      ...['--node.rpc=http://127.0.0.1:1', '--execution.rpc=http://127.0.0.1:2', '--healthcheck.interval=1'],
      ...['--healthcheck.unsafe-interval=60', '--healthcheck.min-peer-count=1', ...flags],
    ],
    {},
  );
  if (!('config' in parsed)) throw new Error('only help');
  return parsed.config;
}

const join = (...flags: string[]): Promise<void> =>
  joinOrFound({
    config: configOf(flags),
    raft,
    consensusPort: 7,
    hello: () => Promise.reject(new Error('nobody is there')),
    onFatal: (error) => logged.push(error.message),
    logger: pino(
      {},
      { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) },
    ),
    signal: AbortSignal.abort(),
    sleep,
  });

beforeEach(() => {
  identity = { nodeId: 'a', incarnation: 'disk-a', clusterId: null };
  founded = [];
  outcome = async () => ({ outcome: 'done', index: 1, term: 1 });
  logged = [];
});

describe('joinOrFound', () => {
  it('founds a cluster of this node alone when it is told to and belongs to none', async () => {
    await join('--raft.bootstrap');
    expect(founded).toEqual([[{ id: 'a', address: '127.0.0.1:7', incarnation: 'disk-a', voter: true }]]);
    expect(logged).toEqual(['founded a cluster of one; the control loop is paused until conductor_resume']);
  });

  it.each(['::1', '[::1]'])('writes %s into the log as others can dial it', async (host) => {
    await join('--raft.bootstrap', `--consensus.addr=${host}`);
    expect(founded).toEqual([[expect.objectContaining({ address: '[::1]:7' })]]);
  });

  it.each([
    ['it belongs to a cluster', ['--raft.bootstrap'], 'c1'],
    ['it is not told to', [], null],
  ])('founds none when %s', async (_, flags, clusterId) => {
    identity = { ...identity, clusterId };
    expect(foundsAlone(configOf(flags), raft)).toBe(false);
    await join(...flags);
    expect(founded).toEqual([]);
  });

  it.each<[string, () => Promise<Outcome<object>>]>([
    ['before', async () => ({ outcome: 'rejected', reason: 'not-empty' })],
    ['in the same moment', () => Promise.reject(new StorageError('wrong-cluster', 'it belongs to c1'))],
  ])('is a member when a leader added it %s', async (_, refusal) => {
    outcome = refusal;
    await join('--raft.bootstrap');
    expect(logged).toEqual([
      'a leader added this node before it had founded a cluster: it belongs to that one now',
    ]);
  });

  it.each<[string, () => Promise<Outcome<object>>]>([
    ['it stops', async () => ({ outcome: 'rejected', reason: 'stopped' })],
    ['its disk fails', () => Promise.reject(new StorageError('io', 'stopped'))],
  ])('fails when %s', async (_, failure) => {
    outcome = failure;
    await expect(join('--raft.bootstrap')).rejects.toThrow('stopped');
  });
});
