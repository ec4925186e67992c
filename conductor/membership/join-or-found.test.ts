import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { StorageError, type CoreStatus, type Member, type Outcome } from '../../raft/index.js';
import { parseConfig } from '../config/parse-config.js';
import type { Config } from '../config/config.js';
import { virtualSleep } from '../testing/virtual-sleep.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import { foundsAlone, joinOrFound } from './join-or-found.js';
import { LivingCluster, listeningMs } from './living-cluster.js';

let identity: { nodeId: string; incarnation: string; clusterId: string | null };
let founded: Member[][];
let outcome: () => Promise<Outcome<object>>;
let logged: string[];
let livingCluster: LivingCluster;
/** How often this node should have founded a cluster and did not. */
let notFounded: number;
let ending: AbortController;

useVirtualTime();

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

/** How long it listens with these flags. */
const LISTENING_MS = listeningMs(configOf([]).raft.timing);

const begin = (...flags: string[]): Promise<void> =>
  joinOrFound({
    config: configOf(flags),
    raft,
    consensusPort: 7,
    hello: () => Promise.reject(new Error('nobody is there')),
    livingCluster,
    onNotFounded: async () => void (notFounded += 1),
    onFatal: (error) => logged.push(error.message),
    logger: pino(
      {},
      { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) },
    ),
    signal: ending.signal,
    sleep: virtualSleep,
  });

/** Waits for the decision, while nobody speaks to this node. */
async function join(...flags: string[]): Promise<void> {
  const joining = begin(...flags);
  // The code that waits for it may set its timer later.
  joining.catch(() => undefined);
  await pass(LISTENING_MS);
  return joining;
}

beforeEach(() => {
  identity = { nodeId: 'a', incarnation: 'disk-a', clusterId: null };
  founded = [];
  outcome = async () => ({ outcome: 'done', index: 1, term: 1 });
  logged = [];
  livingCluster = new LivingCluster();
  notFounded = 0;
  ending = new AbortController();
});

const LISTENS = 'about to found a cluster: listening for one that lists this address';

describe('joinOrFound', () => {
  it('founds a cluster of this node alone if it is told to and belongs to none', async () => {
    await join('--raft.bootstrap');
    expect(founded).toEqual([[{ id: 'a', address: '127.0.0.1:7', incarnation: 'disk-a', voter: true }]]);
    expect(logged).toEqual([
      LISTENS,
      'founded a cluster of one; the control loop is paused until conductor_resume',
    ]);
    expect(notFounded).toBe(0);
  });

  it('first listens for as long as a member may need to be heard', async () => {
    const joining = begin('--raft.bootstrap');
    await pass(LISTENING_MS - 1);
    expect(founded).toEqual([]);
    await pass(1);
    await joining;
    expect(founded).toHaveLength(1);
  });

  it.each<[string, (joining: () => Promise<void>) => Promise<void>]>([
    [
      'before it listened',
      async (joining) => {
        livingCluster.hear('c1');
        await joining();
      },
    ],
    [
      'in the last moment',
      async (joining) => {
        const joined = joining();
        await pass(LISTENING_MS - 1);
        livingCluster.hear('c1');
        await joined;
      },
    ],
  ])('founds none if a cluster that lists it speaks to it %s, and says so once', async (_, play) => {
    await play(() => begin('--raft.bootstrap'));
    livingCluster.hear('c1');
    await pass(10 * LISTENING_MS);
    expect({ founded, notFounded }).toEqual({ founded: [], notFounded: 1 });
    expect(logged).toEqual([
      LISTENS,
      'a running cluster lists this address: not founding another, waiting to be added',
    ]);
  });

  it('founds none if it is stopped meanwhile', async () => {
    const joining = begin('--raft.bootstrap');
    ending.abort();
    await joining;
    expect({ founded, notFounded }).toEqual({ founded: [], notFounded: 0 });
  });

  it.each(['::1', '[::1]'])('writes %s to the log in the form that others can dial', async (host) => {
    await join('--raft.bootstrap', `--consensus.addr=${host}`);
    expect(founded).toEqual([[expect.objectContaining({ address: '[::1]:7' })]]);
  });

  it.each([
    ['it belongs to a cluster', ['--raft.bootstrap'], 'c1'],
    ['it is not told to', [], null],
  ])('founds none if %s', async (_, flags, clusterId) => {
    identity = { ...identity, clusterId };
    expect(foundsAlone(configOf(flags), raft)).toBe(false);
    await join(...flags);
    expect(founded).toEqual([]);
  });

  it.each<[string, () => Promise<Outcome<object>>]>([
    ['before', async () => ({ outcome: 'rejected', reason: 'not-empty' })],
    ['in the same moment', () => Promise.reject(new StorageError('wrong-cluster', 'it belongs to c1'))],
  ])('is a member if a leader added it %s', async (_, refusal) => {
    outcome = refusal;
    await join('--raft.bootstrap');
    expect(logged).toEqual([
      LISTENS,
      'a leader added this node before it founded a cluster: it now belongs to the cluster of that leader',
    ]);
    expect(notFounded).toBe(1);
  });

  it.each<[string, () => Promise<Outcome<object>>]>([
    ['it stops', async () => ({ outcome: 'rejected', reason: 'stopped' })],
    ['its disk fails', () => Promise.reject(new StorageError('io', 'stopped'))],
  ])('fails if %s', async (_, failure) => {
    outcome = failure;
    await expect(join('--raft.bootstrap')).rejects.toThrow('stopped');
  });
});
