import { once } from 'node:events';
import { readFile, readdir, readlink } from 'node:fs/promises';
import net from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KIB, MIB } from '../../common/bytes.js';
import { decodeEnvelope } from '../../rpc/payload/decode-envelope.js';
import { at, MAX_TRANSACTIONS, PAYLOAD_START } from '../../rpc/payload/ssz-layout.js';
import { sampleEnvelope } from '../../rpc/server/testing/sample-envelope.js';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { TURN_PROBE, hasThreadClock, longestTurnMs } from '../cluster/turn-probe.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster } from './describe-cluster.js';

const IDLE_CONNECTIONS = 1000;
const LARGE_BODIES = 50;
/**
 * Four bodies of 32 MiB may be under way; the rest is data that the kernel delivers before connections are cut off, and
 * garbage that is not collected yet. All of the bodies together have 1,600 MiB, without any copy.
 */
const MEMORY_BYTES_MAX = 1200 * MIB;

/** Most CPU time for one turn of the event loop under any load. The smallest heartbeat timeout is 150 ms. */
const TURN_MS_MAX = 50;
/** One of this many tries must be good: a process's first calls are interpreted, and garbage may be collected. */
const TRIES = 4;

const POST = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

/** A whole request on the RPC port. */
function request(body: Buffer, path = '/', type = 'application/json'): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const call = (method: string): string => `{"jsonrpc":"2.0","id":1,"method":"${method}"}`;

/** `size` bytes: `head`, as many `piece`s as fit, `tail`. */
function filled(size: number, piece: string, head = '', tail = ''): Buffer {
  const count = Math.floor((size - head.length - tail.length) / Buffer.byteLength(piece));
  return Buffer.from(head + piece.repeat(count) + tail);
}

/** A payload with as many transactions as there may be, all of them empty. */
function manyTransactions(): Buffer {
  const { ssz } = decodeEnvelope(sampleEnvelope());
  const table = Buffer.alloc(4 * MAX_TRANSACTIONS);
  for (let index = 0; index < MAX_TRANSACTIONS; index++) table.writeUInt32LE(table.length, 4 * index);
  const whole = Buffer.concat([ssz, table]);
  whole.writeUInt32LE(whole.length - PAYLOAD_START, at.withdrawalsOffset);
  return whole;
}

const batchOf = (count: number, method: string): Buffer =>
  Buffer.from(`[${Array<string>(count).fill(call(method)).join(',')}]`);
const CHUNKED = Buffer.from(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
const PING = request(Buffer.from(call('conductor_leader')));

/** Bytes to send on each of this many connections at once. */
const STALLS: Record<string, { connections?: number; bytes: () => Buffer }> = {
  'a list of numbers': { bytes: () => request(filled(512 * KIB, '1,', '[', '1]')) },
  'a batch of empty lists': { bytes: () => request(filled(390_000, '[],', '[', '[]]')) },
  '4 MiB of two-byte letters': { bytes: () => request(filled(4 * MIB - 4, 'ü', '["', '"]')) },
  '32 MiB of escapes': { bytes: () => request(filled(32 * MIB, '\\n', '["', '"]')) },
  '32 MiB of a method': {
    bytes: () => request(filled(32 * MIB, '<', '{"jsonrpc":"2.0","id":1,"method":"', '"}')),
  },
  '8000 times conductor_status': { bytes: () => request(batchOf(8000, 'conductor_status')) },
  'batches on 100 connections': { connections: 100, bytes: () => request(batchOf(100, 'conductor_status')) },
  'a call on each of 500 connections': { connections: 500, bytes: () => PING },
  '5000 pipelined calls': { bytes: () => Buffer.from(PING.toString().repeat(5000)) },
  '200 pipelined calls on 100 connections': {
    connections: 100,
    bytes: () => Buffer.from(PING.toString().repeat(200)),
  },
  'chunks of a byte': { bytes: () => Buffer.concat([CHUNKED, filled(2 * MIB, '1\r\na\r\n')]) },
  'chunks of a byte that nobody reads': {
    bytes: () =>
      Buffer.concat([Buffer.from(CHUNKED.toString().replace('POST', 'PUT')), filled(2 * MIB, '1\r\na\r\n')]),
  },
  'chunks of 64 bytes': {
    bytes: () => Buffer.concat([CHUNKED, filled(4 * MIB, `40\r\n${' '.repeat(64)}\r\n`)]),
  },
  'a million empty transactions': {
    bytes: () => request(manyTransactions(), '/commit-unsafe-payload', 'application/octet-stream'),
  },
};

const OPTIONS = {
  blockTimeMs: 250,
  ...(hasThreadClock ? { nodeOptions: TURN_PROBE } : {}),
  flags: [
    // The test is not about how this machine shares its cores.
    ...['--raft.heartbeat-timeout', '3s', '--healthcheck.timeout', '10s'],
    ...['--metrics.enabled', '--metrics.addr', '127.0.0.1', '--metrics.port', '0'],
    ...['--rollupboost.ws-url', 'ws://127.0.0.1:1'],
    ...['--websocket.server-addr', '127.0.0.1', '--websocket.server-port', '0'],
  ],
};

/** Under any traffic on its ports the cluster keeps its leader and processes, blocks flow, and nothing stays behind. */
describeCluster('a cluster under hostile clients', OPTIONS, (cluster, scenario) => {
  let leader: ClusterNode;
  let pids: (number | undefined)[];
  const sockets = new Set<net.Socket>();

  const connect = async (port: number): Promise<net.Socket> => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    await once(socket, 'connect');
    return socket;
  };

  const roleChanges = (): number =>
    cluster.nodes.flatMap(({ baton }) => baton.log.filter(({ msg }) => msg === 'role changed')).length;

  const openFiles = async ({ baton }: ClusterNode): Promise<number> =>
    (await readdir(`/proc/${baton.pid}/fd`)).length;

  /** Attacks, stops, and checks for leftovers. */
  const survives = async (attack: () => Promise<void>): Promise<void> => {
    // A late commit in the previous attack may have moved it.
    leader = await cluster.activeLeader();
    const changes = roleChanges();
    const files = await Promise.all(cluster.nodes.map(openFiles));
    const head = (await leader.devnet.state()).head.number;
    await attack();
    // Blocks flow while the clients of the attack are still there.
    await waitFor(
      'blocks during the attack',
      async () => (await leader.devnet.state()).head.number > head + 2,
    );
    for (const socket of sockets) socket.destroy();
    await waitFor('the connections to be gone', async () => {
      const now = await Promise.all(cluster.nodes.map(openFiles));
      return now.every((count, at) => count <= (files[at] as number) + 10);
    });
    expect(cluster.nodes.map(({ baton }) => baton.pid)).toEqual(pids);
    expect(roleChanges()).toBe(changes);
    expect((await cluster.activeLeader()).id).toBe(leader.id);
    await cluster.convergedAt((await leader.devnet.state()).head.number);
  };

  beforeAll(async () => {
    leader = await cluster.activeLeader();
    await cluster.allHealthy();
    pids = cluster.nodes.map(({ baton }) => baton.pid);
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
  });

  const stalls = hasThreadClock ? it.each(Object.entries(STALLS)) : it.skip.each(Object.entries(STALLS));
  stalls('the event loop goes round: %s', async (_name, { connections = 1, bytes }) => {
    const { baton } = leader;
    const sent = bytes();
    const turns: number[] = [];
    while (turns.length < TRIES && !(turns.at(-1)! <= TURN_MS_MAX)) {
      const opened = await Promise.all(
        Array.from({ length: connections }, () => connect(baton.options.rpcPort)),
      );
      await longestTurnMs(baton);
      const begun = opened.map(async (socket) => {
        socket.write(sent);
        // An answer, or a closed connection: by a reset, if it closes while we still write.
        await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => undefined);
      });
      await Promise.all(begun);
      for (const socket of opened) socket.destroy();
      await waitFor('them to be gone', () => sockets.size === 0);
      turns.push(await longestTurnMs(baton));
    }
    expect(Math.min(...turns)).toBeLessThanOrEqual(TURN_MS_MAX);
  });

  scenario('random bytes on every port', () =>
    survives(async () => {
      const ports = (await Promise.all(cluster.nodes.map(({ baton }) => listeningPorts(baton.pid!)))).flat();
      expect(ports).toHaveLength(4 * cluster.nodes.length);
      const start = fc.constantFrom(
        '',
        'GET /ws HTTP/1.1\r\n',
        POST,
        `${POST}Content-Length: 99\r\n\r\n`,
        'PRI * HTTP/2.0\r\n\r\n',
      );
      await fc.assert(
        fc.asyncProperty(
          start,
          fc.uint8Array({ maxLength: 2000 }),
          fc.boolean(),
          async (head, bytes, ends) => {
            const opened = await Promise.all(ports.map(connect));
            for (const socket of opened) {
              socket.write(head);
              socket.write(bytes);
              socket.resume();
              if (ends) socket.end();
            }
          },
        ),
        { numRuns: 50 },
      );
    }),
  );

  scenario(`${IDLE_CONNECTIONS} idle connections, and others that send and read slowly`, () =>
    survives(async () => {
      const port = leader.baton.options.rpcPort;
      await Promise.all(Array.from({ length: IDLE_CONNECTIONS }, () => connect(port)));
      const slow = await Promise.all(Array.from({ length: 100 }, () => connect(port)));
      for (const [at, socket] of slow.entries()) {
        if (at % 3 === 0) socket.write('POST / HTTP/1.1\r\nHost: ');
        else if (at % 3 === 1) socket.write(`${POST}Content-Length: 1000000\r\n\r\n{"jsonrpc"`);
        else {
          // Pipelined, with answers that are never read.
          const call = '{"jsonrpc":"2.0","id":1,"method":"conductor_clusterMembership"}';
          const batch = `[${Array<string>(500).fill(call).join(',')}]`;
          socket.pause().write(`${POST}Content-Length: ${batch.length}\r\n\r\n${batch}`.repeat(5));
        }
      }
    }),
  );

  scenario(`${LARGE_BODIES} bodies of 32 MiB at once, and one in pieces of a byte`, () =>
    survives(async () => {
      const port = leader.baton.options.rpcPort;
      const piece = Buffer.alloc(MIB, 'a');
      const crumbs = await connect(port);
      crumbs.write(`${POST}Transfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(20_000)}`);
      const [answer] = (await once(crumbs, 'data')) as [Buffer];
      expect(answer.toString()).toContain('HTTP/1.1 400');
      await Promise.all(
        Array.from({ length: LARGE_BODIES }, async () => {
          const socket = await connect(port);
          socket.write(`${POST}Content-Length: ${32 * MIB}\r\n\r\n["`);
          // All but the end: they stay where they are.
          for (let sent = 0; sent < 31 && !socket.destroyed; sent++) {
            if (!socket.write(piece))
              await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
          }
        }),
      );
      const status = await readFile(`/proc/${leader.baton.pid}/status`, 'utf8');
      expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * KIB).toBeLessThan(MEMORY_BYTES_MAX);
    }),
  );
});

/** The TCP ports on which a process listens. */
async function listeningPorts(pid: number): Promise<number[]> {
  const files = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(files.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const LISTEN = '0A';
  return (await readFile(`/proc/${pid}/net/tcp`, 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === LISTEN && inodes.has(columns[9] as string))
    .map((columns) => parseInt(columns[1]?.split(':')[1] as string, 16));
}
