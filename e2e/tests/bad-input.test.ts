import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClassicLevel } from 'classic-level';
import { request } from 'undici';
import { MIB } from '../../common/bytes.js';
import { encodeFrame, type FrameAddress } from '../../raft/transport/frame.js';
import { writeFrameHeaders } from '../../raft/transport/frame-headers.js';
import { WIRE_VERSIONS } from '../../raft/transport/wire-versions.js';
import { readRpcRecording } from '../../rpc/server/testing/rpc-recording.js';
import { batonCommand, type BatonProcess } from '../cluster/baton-process.js';
import { Conductors } from '../cluster/conductors.js';
import { readStoredChain } from '../cluster/stored-chain.js';
import { waitFor } from '../cluster/wait-for.js';
import { buildBlock, genesisBlock } from '../devnet/block.js';
import { refOf, ZERO_HASH, type PayloadEnvelope } from '../devnet/payload.js';
import { story } from './describe-cluster.js';

const child = (parent: PayloadEnvelope, transactions: `0x${string}`[] = []): PayloadEnvelope =>
  buildBlock(parent, { timestamp: refOf(parent).timestamp + 1, prevRandao: ZERO_HASH, transactions });

const genesis = genesisBlock(901, 1_795_000_000);

interface Answer {
  status: number;
  text: string;
}

async function post(
  url: string,
  contentType: string,
  body: string | Buffer,
  further: readonly string[] = [],
): Promise<Answer> {
  const headers = ['content-type', contentType, ...further];
  const signal = AbortSignal.timeout(10_000);
  const response = await request(url, { method: 'POST', headers, body, signal });
  return { status: response.statusCode, text: await response.body.text() };
}

describe('bad input over the network', () => {
  let conductors: Conductors;
  let leader: BatonProcess;
  let head = genesis;
  const committed: string[] = [];

  const scenario = (name: string, body: () => Promise<void>): void => story(name, () => conductors, body);

  beforeAll(async () => {
    conductors = await Conductors.startCluster([
      ...['--raft.heartbeat-timeout', '2s'],
      ...['--rpc.body-limit-mb', '1'],
    ]);
    leader = await conductors.leader();
  });
  afterAll(() => conductors?.stop());

  const roleChanges = (): number =>
    [...conductors.batons.values()].flatMap(({ log }) => log.filter(({ msg }) => msg === 'role changed'))
      .length;

  /** The same leader as ever, and it goes on where it was. */
  const expectUnchanged = async (): Promise<void> => {
    const block = child(head);
    expect(await leader.call('conductor_commitUnsafePayload', [block])).toBe(null);
    head = block;
    committed.push(refOf(block).hash);
  };

  const rpc = (body: string | Buffer): Promise<Answer> => post(leader.rpcUrl, 'application/json', body);

  const errorOf = ({ text }: Answer): unknown => (JSON.parse(text) as { error?: unknown }).error;

  scenario('frames that are not for this node change nothing', async () => {
    await expectUnchanged();
    const before = roleChanges();
    const [from, to] = conductors.ids as [string, string];
    const hello = async (id: string): Promise<Record<'clusterId' | 'incarnation' | 'bootId', string>> => {
      const response = await request(`http://${conductors.address(id)}/raft/v1/hello`);
      return (await response.body.json()) as Record<'clusterId' | 'incarnation' | 'bootId', string>;
    };
    const [theirs, own] = [await hello(from), await hello(to)];
    const right: FrameAddress = {
      clusterId: own.clusterId,
      from,
      fromIncarnation: theirs.incarnation,
      bootId: theirs.bootId,
      to,
      toIncarnation: own.incarnation,
    };
    /** A vote that would depose every leader, if it were heard. */
    const frame = (address: Partial<FrameAddress>): Buffer =>
      Buffer.concat(
        encodeFrame({
          ...right,
          ...address,
          message: {
            type: 'vote',
            term: 1_000_000,
            requestId: 1,
            lastIndex: 1_000_000,
            lastTerm: 1_000_000,
            handOver: 1,
          },
        }),
      );
    const altered = (change: (frame: Buffer) => void): Buffer => {
      const bytes = frame({});
      change(bytes);
      return bytes;
    };
    const other = randomBytes(16).toString('hex');
    const cases: [string, Buffer, number, string][] = [
      ['of another cluster', frame({ clusterId: other }), 409, 'wrong-cluster'],
      ['for another node', frame({ to: 'somebody' }), 409, 'wrong-node'],
      ['for another disk', frame({ toIncarnation: other }), 409, 'wrong-incarnation'],
      ['from another disk', frame({ fromIncarnation: other }), 409, 'wrong-incarnation'],
      ['of another version', altered((bytes) => (bytes[4] = WIRE_VERSIONS.newest + 1)), 400, 'wrong-version'],
      ['cut short', frame({}).subarray(0, -1), 400, 'wrong-length'],
      ['too long', Buffer.concat([frame({}), Buffer.alloc(1)]), 400, 'wrong-length'],
      ['with a damaged header', altered((bytes) => (bytes[10]! ^= 1)), 400, 'bad-crc'],
      ['of random bytes', randomBytes(200), 400, 'bad-magic'],
      ['of nearly nothing', Buffer.alloc(3), 400, 'wrong-length'],
      ['over the limit', Buffer.alloc(2 * MIB + 1), 413, 'too-large'],
    ];
    // The headers are right, so that it is the frames that are judged.
    const headers = writeFrameHeaders({ ...right, version: WIRE_VERSIONS.newest });
    for (const [name, body, status, code] of cases) {
      const url = `http://${conductors.address(to)}/raft/v1/message`;
      const answer = await post(url, 'application/x-baton-raft', body, headers);
      const found = (JSON.parse(answer.text) as { code: string }).code;
      expect([name, answer.status, found]).toEqual([name, status, code]);
    }
    expect(roleChanges()).toBe(before);
    expect((await conductors.leader()).id).toBe(leader.id);
    await expectUnchanged();
  });

  scenario('requests that are no call, or none that it knows', async () => {
    const cases: [string, Record<string, unknown>][] = [
      ['{"jsonrpc":"2.0","id":1,', { code: -32700, message: 'parse error' }],
      ['{"jsonrpc":"2.0","id":1,"method":"conductor_leader","params":[1]}', { code: -32602 }],
      ['{"jsonrpc":"2.0","id":1,"method":"conductor_overrideLeader","params":["yes"]}', { code: -32602 }],
      ['{"jsonrpc":"2.0","id":1,"method":"conductor_noSuchThing","params":[]}', { code: -32601 }],
    ];
    for (const [body, error] of cases) expect(errorOf(await rpc(body))).toMatchObject(error);
    await expectUnchanged();
  });

  scenario('a payload over the body limit', async () => {
    const block = child(head, [`0x${'ab'.repeat(MIB / 2)}`]);
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'conductor_commitUnsafePayload',
      params: [block],
    });
    expect(await rpc(body)).toEqual({
      status: 413,
      text: `content length too large (${body.length}>${MIB})\n`,
    });
    await expectUnchanged();
  });

  scenario('the recorded bad payloads, at the leader and at a follower', async () => {
    const rows = readRpcRecording().filter(
      ({ group, name }) => group.startsWith('bad-payload-') && name !== 'unknown member',
    );
    expect(rows.length).toBeGreaterThan(40);
    const follower = [...conductors.batons.values()].find((baton) => baton !== leader)!;
    for (const { to, name, request: sent } of rows) {
      const url = (to === 'leader' ? leader : follower).rpcUrl;
      const error = errorOf(await post(url, 'application/json', sent.body!)) as { code: number };
      expect([name, [-32602, -32000].includes(error?.code)]).toEqual([name, true]);
    }
    await expectUnchanged();
  });

  scenario('leaves no trace on any disk', async () => {
    for (const id of conductors.ids) await conductors.makeLeader(id);
    await Promise.all([...conductors.batons.values()].map((baton) => baton.kill()));
    for (const id of conductors.ids) {
      const { blocks, verdicts } = await readStoredChain(conductors.storageDir(id), id);
      expect(blocks.map(({ hash }) => hash)).toEqual(committed);
      expect(new Set(verdicts)).toEqual(new Set(['append']));
    }
  });
});

describe('bad input on the disk', () => {
  const FLAGS = ['--paused', '--raft.bootstrap'];
  const MANIFEST_KEY = Buffer.of(2);
  const block = child(genesis);
  let conductors: Conductors;

  const scenario = (name: string, body: () => Promise<void>): void => story(name, () => conductors, body);

  const database = (id: string): string => path.join(conductors.storageDir(id), id, 'baton');

  const commit = (baton: BatonProcess, envelope: PayloadEnvelope): Promise<unknown> =>
    waitFor('a block to be committed', () => baton.call('conductor_commitUnsafePayload', [envelope]));

  /** Opens the node's database behind its back. */
  const withDatabase = async <T>(use: (level: ClassicLevel<Buffer, Buffer>) => Promise<T>): Promise<T> => {
    const level = new ClassicLevel<Buffer, Buffer>(database('a'), {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    });
    try {
      return await use(level);
    } finally {
      await level.close();
    }
  };

  const readManifest = async (): Promise<Buffer> =>
    (await withDatabase((level) => level.get(MANIFEST_KEY))) as Buffer;

  const writeManifest = (record: Buffer | undefined): Promise<void> =>
    withDatabase((level) => (record ? level.put(MANIFEST_KEY, record) : level.del(MANIFEST_KEY)));

  /** The node ends by itself, with this error and what to do about it. */
  const expectRefusal = async (id: string, code: string | RegExp, text: string): Promise<void> => {
    await expect(conductors.start(id, FLAGS)).rejects.toThrow(`baton ${id} ended with 1`);
    const last = conductors.get(id).log.findLast(({ msg }) => msg === 'exiting');
    const error = last?.['err'] as { code: string; message: string; remedy: string };
    expect(error.code).toMatch(code);
    expect(error.message).toContain(text);
    expect(error.remedy.length).toBeGreaterThan(20);
  };

  /** The node is what it was: it leads its cluster of one, and the block is its head. */
  const expectWell = async (id: string): Promise<void> => {
    const baton = await conductors.start(id, FLAGS);
    await commit(baton, block);
    await baton.kill('SIGTERM');
    const { blocks } = await readStoredChain(conductors.storageDir(id), id);
    expect(blocks.map(({ hash }) => hash)).toEqual([refOf(block).hash]);
  };

  beforeAll(async () => {
    conductors = await Conductors.create(['a', 'b', 'c']);
    await expectWell('a');
  });
  afterAll(() => conductors?.stop());

  scenario("another node's directory is refused", async () => {
    await cp(database('a'), database('b'), { recursive: true });
    await expectRefusal('b', 'wrong-node', 'belongs to node "a", but the process is node "b"');
    await rm(database('b'), { recursive: true });
  });

  scenario("another cluster's directory is refused by the cluster", async () => {
    const [a, c] = await Promise.all([conductors.start('a', FLAGS), conductors.start('c', FLAGS)]);
    await waitFor('both to lead', async () => (await conductors.leaders()).length === 2);
    await expect(a.call('conductor_addServerAsVoter', ['c', conductors.address('c'), 0])).rejects.toThrow(
      `c at ${conductors.address('c')} belongs to another cluster`,
    );
    const { servers } = await a.call<{ servers: { id: string }[] }>('conductor_clusterMembership');
    expect(servers.map(({ id }) => id)).toEqual(['a']);
    await Promise.all([a.kill(), c.kill()]);
    await expectWell('a');
  });

  scenario('a directory in use is refused', async () => {
    const first = await conductors.start('a', FLAGS);
    const flags = [...FLAGS, '--raft.server.id', 'a', '--raft.storage.dir', conductors.storageDir('a')];
    await expect(conductors.start('b', flags)).rejects.toThrow('is in use by another process');
    expect(await first.call('conductor_leader')).toBe(true);
    await first.kill();
  });

  scenario('a damaged manifest is refused', async () => {
    const good = await readManifest();
    const flipped = Buffer.from(good);
    flipped[flipped.length - 10]! ^= 1;
    for (const bad of [flipped, Buffer.from('{}'), undefined]) {
      await writeManifest(bad);
      await expectRefusal('a', 'damaged-manifest', 'The manifest is missing or damaged');
    }
    await writeManifest(good);
    await expectWell('a');
  });

  scenario('a flipped bit in a block is refused', async () => {
    const stateRoot = Buffer.from(block.executionPayload.stateRoot.slice(2), 'hex');
    const files = (await readdir(database('a'))).filter((name) => /\.(log|ldb)$/.test(name));
    let flipped = 0;
    for (const name of files) {
      const file = path.join(database('a'), name);
      const bytes = await readFile(file);
      for (let at = bytes.indexOf(stateRoot); at >= 0; at = bytes.indexOf(stateRoot, at + 1), flipped++) {
        bytes[at]! ^= 1;
      }
      await writeFile(file, bytes);
    }
    expect(flipped).toBeGreaterThan(0);
    await expectRefusal('a', /^(damaged-|missing-|chain-|lost-)/, '');
  });
});

describe('bad flags', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'baton-flags-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  function run(flags: readonly string[], env: Record<string, string> = {}) {
    return call(['run', ...flags], env);
  }

  function call(argv: readonly string[], env: Record<string, string> = {}) {
    const [program, ...first] = batonCommand();
    const { status, stdout, stderr } = spawnSync(program, [...first, ...argv], {
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { status, stdout, lines: stderr.trimEnd().split('\n') };
  }

  it('are all reported at once, each with its flag and its environment variable', () => {
    const required = [
      'consensus.addr',
      'consensus.port',
      'raft.server.id',
      'raft.storage.dir',
      'node.rpc',
      'execution.rpc',
      'healthcheck.interval',
      'healthcheck.unsafe-interval',
      'healthcheck.min-peer-count',
    ];
    const { status, stdout, lines } = run([]);
    expect([status, stdout]).toEqual([2, '']);
    expect(lines).toHaveLength(1 + required.length);
    for (const [at, flag] of required.entries()) {
      expect(lines[at + 1]).toContain(`flag ${flag} is required`);
      const variable = `OP_CONDUCTOR_${flag.toUpperCase().replace(/[.-]/g, '_')}`;
      expect(lines[at + 1]).toContain(`(--${flag} or ${variable})`);
    }
  });

  it('that contradict each other or make no sense stop it before it touches anything', () => {
    const storage = path.join(directory, 'raft');
    const { status, lines } = run(
      [
        ...['--consensus.addr', '127.0.0.1', '--consensus.port', '70000'],
        ...['--raft.server.id', 'a', '--raft.storage.dir', storage],
        ...['--node.rpc', 'nowhere', '--execution.rpc', 'http://127.0.0.1:1'],
        ...['--healthcheck.interval', 'often', '--healthcheck.unsafe-interval', '5'],
        ...['--raft.bootstrap', '--raft.peers', 'a@127.0.0.1:1,b@127.0.0.1:2'],
        ...['--raft.lease-timeout', '2s', '--raft.heartbeat-timeout', '1s', '--no-such-flag'],
      ],
      { OP_CONDUCTOR_HEALTHCHECK_MIN_PEER_COUNT: '0' },
    );
    expect(status).toBe(2);
    const expected = [
      'invalid RPC port',
      'invalid node RPC',
      'invalid value "often" for flag -healthcheck.interval',
      'missing minimum peer count',
      'raft.peers and raft.bootstrap contradict each other',
      'LeaderLeaseTimeout (2s) cannot be larger than heartbeat timeout (1s)',
      'flag provided but not defined: -no-such-flag',
    ];
    const found = expected.filter((text) => lines.some((line) => line.includes(text)));
    expect(found).toEqual(expected);
    expect(lines).toHaveLength(1 + expected.length);
    expect(existsSync(storage)).toBe(false);
  });

  it.each([[['op-conductor', '--paused']], [['--paused']]])(
    'are those of op-conductor for %j, as its image is called',
    (argv) => {
      const { status, lines } = call(argv);
      expect(status).toBe(2);
      expect(lines.join('\n')).toContain(
        'failed to setup: failed to read config: missing required flags: flag consensus.addr is required',
      );
    },
  );

  it.each([
    [['op-conductor', 'help'], /--raft\.server\.id/],
    [['help'], /status \[options\]/],
    [['op-conductor', '--version'], /^baton version v\d+\.\d+\.\d+\n$/],
  ])('are explained by %j', (argv, expected) => {
    const { status, stdout } = call(argv);
    expect([status, expected.test(stdout)]).toEqual([0, true]);
  });

  it('given by environment variable are named by it', () => {
    const { status, lines } = run([], { OP_CONDUCTOR_CONSENSUS_PORT: 'high' });
    expect(status).toBe(2);
    expect(lines.join('\n')).toContain(
      'invalid value "high" for flag -consensus.port from environment variable OP_CONDUCTOR_CONSENSUS_PORT',
    );
  });
});
