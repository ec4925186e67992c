import { CpuQuota } from '../../cluster/cpu-quota.js';
import type { Mood } from '../../cluster/name-server.js';
import { blockBytes } from '../execution.js';
import { call } from '../json-rpc.js';
import type { SequencerNode } from '../node.js';
import { DEADLINE_MS, step, type Stage } from '../stage.js';
import { BackgroundTransactions, type Load } from '../transactions.js';
import { settled } from '../verify.js';
import { coldStart } from './blocks-and-batches.js';
import { suffer, sequencersOf } from './fault.js';

const CAUGHT_UP_S = 2;
const RECONNECT_MS = 5_000;
const SMALL_PACKET_BYTES = 1_200;
const LINE_MEGABITS_PER_SECOND = 8;
const LARGE_BLOCK_BYTES = 100_000;
const CPU_SHARE = 0.02;

interface SyncStatus {
  unsafe_l2: { timestamp: number };
}

/** Begins the chain, and waits until its blocks come once a second. Before that, they come as fast as possible. */
export async function startApart(stage: Stage): Promise<void> {
  const { network, say } = stage;
  await coldStart(stage);
  await step(say, 'the chain has caught up with the clock', () =>
    network.waitFor(
      'the chain to catch up with the clock',
      async () => {
        const { unsafe_l2: head } = await call<SyncStatus>(network.nodes[0]!.nodeUrl, 'optimism_syncStatus');
        return Date.now() / 1000 - head.timestamp < CAUGHT_UP_S;
      },
      DEADLINE_MS,
    ),
  );
}

/**
 * The leader's name server fails, while its connections to the others break again and again, so that it must look up
 * their names.
 */
export function nameServerFails(mood: Mood): (stage: Stage) => Promise<void> {
  return async (stage) => {
    const { network, say } = stage;
    const { nameServer, network: lines } = network.apart;
    const leader = await settled(stage, network.nodes);
    const { host } = leader.machine;
    const before = nameServer.askedBy(host);
    const ports = network.nodes.map(({ consensusPort }) => consensusPort);
    await suffer(stage, {
      begin: () => nameServer.moodTowards.set(host, mood),
      meanwhile: { everyMs: RECONNECT_MS, act: () => lines.endConnections(leader.index, ports) },
      end: () => nameServer.moodTowards.delete(host),
    });
    const asked = nameServer.askedBy(host) - before;
    say(`${leader.name} asked its name server ${asked} times`);
    if (asked === 0) throw new Error('nobody needed the name server: the fault had no effect');
  };
}

/** Only small messages of the leader arrive at the others: heartbeats do, blocks do not. */
export async function largeFramesLost(stage: Stage): Promise<void> {
  const { network } = stage;
  const lines = network.apart.network;
  const leader = await settled(stage, network.nodes);
  const others = network.nodes.filter((node) => node !== leader);
  const blocks = await withLoad(stage, { count: 1, calldataBytes: 4 * SMALL_PACKET_BYTES }, () =>
    suffer(stage, {
      begin: () => others.forEach(({ index }) => lines.loseLarge(leader.index, index, SMALL_PACKET_BYTES)),
      end: () => lines.heal(),
    }),
  );
  // Its blocks reach nobody, so none of them can have been acknowledged.
  if (sequencersOf(blocks).at(-1) === leader.name)
    throw new Error('its blocks arrived: the fault had no effect');
}

export async function slowLine(stage: Stage): Promise<void> {
  const { network, say } = stage;
  const lines = network.apart.network;
  const leader = await settled(stage, network.nodes);
  let waits = 0;
  // As much as op-geth puts into a block under these rules.
  const blocks = await withLoad(stage, { count: 8, calldataBytes: 20_000 }, () =>
    suffer(stage, {
      begin: () => lines.narrow(leader.index, LINE_MEGABITS_PER_SECOND),
      end: () => {
        ({ waits } = lines);
        lines.heal();
      },
    }),
  );
  // The node that committed a block has it. The others may still lack the last ones.
  const sizes = await Promise.all(
    blocks.map(({ hash, node }) => blockBytes(named(network.nodes, node), hash)),
  );
  const largest = Math.max(...sizes);
  say(`the largest of these blocks has ${Math.round(largest / 1000)} kB; packets waited ${waits} times`);
  if (waits === 0) throw new Error('the line was wide enough: the fault had no effect');
  if (largest < LARGE_BLOCK_BYTES) throw new Error('there was no large block');
}

/** No new connections work, so leadership must move over the open ones. */
export async function newConnectionsLost(stage: Stage): Promise<void> {
  const { network } = stage;
  const lines = network.apart.network;
  const leader = await settled(stage, network.nodes);
  const ports = network.nodes.flatMap((node) => [
    node.consensusPort,
    node.nodePeerPort,
    node.executionPeerPort,
  ]);
  const blocks = await suffer(stage, {
    begin: () => lines.loseNewConnections(ports),
    meanwhile: {
      everyMs: Infinity,
      act: () => call(leader.conductorUrl, 'conductor_transferLeader', [], 15_000),
    },
    end: () => lines.heal(),
  });
  if (blocks.every(({ node }) => node === leader.name)) throw new Error('leadership did not move');
}

/** Others on the same host take the CPU that the leader's conductor needs. */
export async function cpuThrottled(stage: Stage): Promise<void> {
  const { network, say } = stage;
  const leader = await settled(stage, network.nodes);
  const quota = new CpuQuota(CPU_SHARE);
  let stops = 0;
  await suffer(stage, {
    begin: () => quota.hold(network.pidOf(leader, 'conductor')),
    end: () => {
      ({ stops } = quota);
      quota.release();
    },
  });
  say(`the conductor of ${leader.name} was stopped ${stops} times`);
  if (stops === 0) throw new Error('it had all the CPU that it needs: the fault had no effect');
}

/** Runs an action while the sequencing node gets these transactions. */
async function withLoad<T>({ network }: Stage, load: Load, act: () => Promise<T>): Promise<T> {
  const transactions = new BackgroundTransactions(network.nodes, network.userKey, load);
  try {
    return await act();
  } finally {
    await transactions.stop();
  }
}

function named(nodes: readonly SequencerNode[], name: string): SequencerNode {
  const found = nodes.find((node) => node.name === name);
  if (!found) throw new Error(`no node ${name}`);
  return found;
}
