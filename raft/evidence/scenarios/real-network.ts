import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from '@jest/globals';
import { pino } from 'pino';
import { eventually } from '../../testing/eventually.js';
import { commit, leaderOf, RuntimeHarness } from '../../runtime/testing/runtime-harness.js';
import { LevelStorage } from '../../storage/level-storage.js';
import { HttpTransport } from '../../transport/http-transport.js';
import { bigAppend, toBytes } from '../../transport/testing/arbitrary-frames.js';
import {
  agree,
  CLUSTER,
  heartbeat,
  TransportNode,
  type Received,
  requestHead,
} from '../../transport/testing/transport-node.js';
import { realScenario } from './dsl/scenario.js';

/** Nodes over HTTP and LevelDB. */
class RealCluster {
  readonly nodes = new Map<string, RuntimeHarness>();
  private readonly addresses = new Map<string, { host: string; port: number }>();

  /** Log lines of the transports. */
  readonly log: string[] = [];

  constructor(private readonly directory: string) {}

  async start(id: string): Promise<RuntimeHarness> {
    const node = new RuntimeHarness(id, {
      storage: new LevelStorage({ directory: path.join(this.directory, id) }),
      timing: { electionTimeoutMs: 250, heartbeatIntervalMs: 40, leaseTimeoutMs: 240 },
    });
    this.nodes.set(id, node);
    this.addresses.set(id, await node.start(this.transport(id)));
    return node;
  }

  private transport(id: string): HttpTransport {
    return new HttpTransport({
      bind: this.addresses.get(id) ?? { host: '127.0.0.1', port: 0 },
      timeouts: () => ({ controlMs: 200, bulkMs: 1000, snapshotMs: 1000 }),
      bodyLimitBytes: 1_000_000,
      logger: pino({ name: id, level: 'warn' }, { write: (line: string) => void this.log.push(line) }),
    });
  }

  member(node: RuntimeHarness) {
    const { host, port } = this.addresses.get(node.id) as { host: string; port: number };
    return node.memberAt(`${host}:${port}`);
  }

  /** Waits until this node has logged this. */
  logged(id: string, text: string): Promise<true> {
    const isIt = (line: string): boolean => line.includes(`"name":"${id}"`) && line.includes(text);
    return eventually(() => this.log.some(isIt) || undefined, `${id} logs: ${text}`);
  }

  /** Ends the process and empties its disk. */
  async wipe(id: string): Promise<void> {
    await this.nodes.get(id)?.raft.stop();
    await rm(path.join(this.directory, id), { recursive: true });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.raft.stop()));
  }
}

async function withCluster(
  play: (cluster: RealCluster, a: RuntimeHarness, b: RuntimeHarness) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'raft-scenario-'));
  const cluster = new RealCluster(directory);
  try {
    const [a, b, c] = [await cluster.start('a'), await cluster.start('b'), await cluster.start('c')];
    await a.raft.bootstrap([a, b, c].map((node) => cluster.member(node)));
    await commit([a, b, c], 'one');
    await eventually(() => c.machine.commands.includes('one'), 'c has the first command');
    await play(cluster, a, b);
  } finally {
    await cluster.stop();
    await rm(directory, { recursive: true });
  }
}

realScenario(
  {
    bug: 40,
    title: 'a wiped disk under an old name neither votes nor acknowledges, until it is added as what it is',
    wrong:
      'A node comes back with an empty disk under its old name, votes again and acknowledges less than before.',
    seen: 'databendlabs/openraft#2002; cockroachdb/cockroach#756; nexi-lab/nexus#3939; RedisLabs/redisraft#2; eBay/NuRaft#185; hashicorp/raft#235; restatedev/restate#2415',
    guardedIn: ['transport/admission.ts', 'transport/incarnation-policy.ts', 'core/membership.ts'],
  },
  () =>
    withCluster(async (cluster, a, b) => {
      await cluster.wipe('c');
      const c = await cluster.start('c');
      await commit([a, b], 'two');
      // Without a, b could lead only with the wiped node.
      await a.raft.stop();
      await eventually(() => b.raft.status().leader === null, 'b misses its leader');
      cluster.log.length = 0;
      await cluster.logged('b', 'frame for disk');
      expect([b.raft.isReadyLeader, c.raft.status().term, c.raft.status().lastIndex]).toEqual([false, 0, 0]);

      const again = await cluster.start('a');
      const leader = await eventually(() => leaderOf([again, b]), 'a leader of the two');
      const { id, address, incarnation } = cluster.member(c);
      const change = { type: 'addVoter' as const, id, address, incarnation };
      expect(await leader.raft.changeMembership(change)).toMatchObject({ reason: 'other-disk' });
      expect((await leader.raft.changeMembership({ type: 'remove', id })).outcome).toBe('done');
      expect((await leader.raft.changeMembership(change)).outcome).toBe('done');
      await eventually(() => c.machine.commands.includes('two'), 'c has everything');
    }),
);

realScenario(
  {
    bug: 41,
    title: 'a wiped node that founds a cluster again founds another one, which reaches nobody',
    wrong: 'The bootstrap flag stays set. A wiped node founds a second cluster of the same name.',
    seen: 'seaweedfs/seaweedfs#10880, #10883; ethereum-optimism/optimism#14927',
    guardedIn: ['runtime/cluster-identity.ts', 'transport/admission.ts'],
  },
  () =>
    withCluster(async (cluster, a, b) => {
      expect(await a.raft.bootstrap([cluster.member(a)])).toMatchObject({ reason: 'not-empty' });
      const { clusterId } = a.raft.identity;
      await cluster.wipe('c');
      const c = await cluster.start('c');
      await c.raft.bootstrap([a, b, c].map((node) => cluster.member(node)));
      expect(c.raft.identity.clusterId).not.toBe(clusterId);
      await commit([a, b], 'two');
      await cluster.logged('a', `frame of cluster ${c.raft.identity.clusterId}`);
      expect(c.raft.isReadyLeader).toBe(false);
      expect(c.machine.commands).toEqual([]);
      await expect(c.raft.adoptCluster(clusterId as string)).rejects.toMatchObject({ code: 'wrong-cluster' });
    }),
);

async function withPair(
  onRequest: (received: Received) => void,
  play: (a: TransportNode, b: TransportNode) => Promise<void>,
): Promise<void> {
  const a = await new TransportNode('a').start();
  const b = await new TransportNode('b', { onRequest }).start();
  try {
    a.transport.setPeers([b.member]);
    b.transport.setPeers([a.member]);
    await play(a, b);
  } finally {
    await Promise.all([a.transport.stop(), b.transport.stop()]);
  }
}

realScenario(
  {
    bug: 55,
    title: 'heartbeats pass a large append that is not answered yet',
    wrong: 'A large entry on the same connection delays heartbeats beyond the election timeout.',
    seen: 'nats-io/nats-streaming-server#629',
    guardedIn: ['transport/peer-lanes.ts'],
  },
  () => {
    let answerAppend = (): void => undefined;
    return withPair(
      ({ message, respond }) => {
        if (message.type === 'append') answerAppend = () => respond(agree(message));
        else respond(agree(message));
      },
      async (a, b) => {
        const append = a.transport.send('b', bigAppend(2_000_000, 9));
        await eventually(() => b.received.length > 0, 'the append arrives');
        for (let i = 0; i < 5; i++) await a.transport.send('b', heartbeat());
        answerAppend();
        expect(await append).toMatchObject({ type: 'appendResponse', requestId: 9 });
      },
    );
  },
);

realScenario(
  {
    bug: 60,
    title: 'a transfer that breaks off in the middle spoils nothing that comes after it',
    wrong:
      'A snapshot transfer that breaks off leaves the rest of its bytes in the stream, and the connection is useless.',
    seen: 'hashicorp/raft#212',
    guardedIn: ['transport/frame.ts', 'transport/frame-server.ts'],
  },
  () =>
    withPair(
      ({ message, respond }) => respond(agree(message)),
      async (a, b) => {
        const frame = toBytes({
          clusterId: CLUSTER,
          from: 'a',
          fromIncarnation: a.incarnation,
          bootId: 'b0'.repeat(16),
          to: 'b',
          toIncarnation: b.incarnation,
          message: bigAppend(100_000),
        });
        for (const part of [0.01, 0.5, 0.99]) {
          const socket = net.connect(b.port, '127.0.0.1');
          await once(socket, 'connect');
          socket.write(requestHead(b, { 'content-length': frame.length }));
          socket.write(frame.subarray(0, Math.floor(frame.length * part)));
          await new Promise(setImmediate);
          socket.destroy();
        }
        expect(await a.transport.send('b', bigAppend(100_000, 7))).toMatchObject({ requestId: 7 });
        expect(b.received.map(({ message }) => message.requestId)).toEqual([7]);
      },
    ),
);
