import { randomBytes } from 'node:crypto';
import { beforeAll, expect } from '@jest/globals';
import { request } from 'undici';
import { MIB } from '../../common/bytes.js';
import { encodeFrame, type FrameAddress } from '../../raft/transport/frame.js';
import { writeFrameHeaders } from '../../raft/transport/frame-headers.js';
import { WIRE_VERSIONS } from '../../raft/transport/wire-versions.js';
import { readRpcRecording } from '../../rpc/server/testing/rpc-recording.js';
import type { BatonProcess } from '../cluster/baton-process.js';
import { readStoredChain } from '../cluster/stored-chain.js';
import { childOf, genesisBlock } from '../devnet/block.js';
import { refOf } from '../devnet/payload.js';
import { describeConductors } from './describe-cluster.js';

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

const CLUSTER = { clusterFlags: ['--raft.heartbeat-timeout', '2s', '--rpc.body-limit-mb', '1'] };

describeConductors('bad input over the network', CLUSTER, (conductors, scenario) => {
  let leader: BatonProcess;
  let head = genesisBlock(901, 1_795_000_000);
  const committed: string[] = [];

  beforeAll(async () => {
    leader = await conductors.leader();
  });

  const roleChanges = (): number =>
    [...conductors.batons.values()].flatMap(({ log }) => log.filter(({ msg }) => msg === 'role changed'))
      .length;

  /** The leader is the same, and continues where it was. */
  const expectUnchanged = async (): Promise<void> => {
    const block = childOf(head);
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
    /** A vote that would depose every leader if it were accepted. */
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
            transferNumber: 1,
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
    // The headers are right, so the frames themselves are judged.
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

  scenario('requests that are not a call, or an unknown one', async () => {
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
    const block = childOf(head, { transactions: [`0x${'ab'.repeat(MIB / 2)}`] });
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
