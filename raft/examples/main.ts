import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { CounterNode } from './counter-node.js';

const write = (line: string): void => void process.stdout.write(`${line}\n`);

/** Three nodes, in one process here; they could run on three machines. */
async function runExample(directory: string): Promise<void> {
  const nodes = ['a', 'b', 'c'].map(
    (nodeId) =>
      new CounterNode({
        nodeId,
        directory: path.join(directory, nodeId),
        bind: { host: '127.0.0.1', port: 0 },
        logger: pino({ level: 'silent' }),
        onFatal: (error) => {
          throw error;
        },
      }),
  );
  const [first] = nodes as [CounterNode, ...CounterNode[]];
  const running = new Set(nodes);
  try {
    await Promise.all(nodes.map((node) => node.start()));
    // Once in the life of a cluster, on one empty node; the others join when they hear from it.
    await first.raft.bootstrap(nodes.map((node) => node.member));

    const leader = await leaderOf(running);
    write(`${leader.raft.nodeId} leads; 1 added: ${await leader.add(1)}`);
    write(`2 added: ${await leader.add(2)}`);

    await leader.stop();
    running.delete(leader);
    const successor = await leaderOf(running);
    write(
      `${leader.raft.nodeId} stopped, ${successor.raft.nodeId} leads and reads ${await successor.read()}`,
    );
    write(`4 added: ${await successor.add(4)}`);
  } finally {
    await Promise.all([...running].map((node) => node.stop()));
  }
}

async function leaderOf(nodes: ReadonlySet<CounterNode>): Promise<CounterNode> {
  for (;;) {
    const leader = [...nodes].find(({ raft }) => raft.isReadyLeader);
    if (leader) return leader;
    await sleep(10);
  }
}

const directory = await mkdtemp(path.join(tmpdir(), 'raft-example-'));
try {
  await runExample(directory);
} finally {
  await rm(directory, { recursive: true });
}
