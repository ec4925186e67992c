import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DevnetProcess, pickPorts } from '../devnet/devnet-process.js';
import { THIS_MACHINE, type Machine } from '../devnet/machine.js';
import { BatonProcess } from './baton-process.js';
import { convergedAt } from './published-blocks.js';
import { lastWords, timeline } from './timeline.js';
import { waitFor } from './wait-for.js';

export interface ClusterOptions {
  /** Members with a node. */
  size: number;
  /** One more member, a witness. The cluster then forms by `peers`. */
  witness?: true;
  blockTimeMs: number;
  /**
   * `peers`: all nodes get the same list and form the cluster themselves. `bootstrap`: op-conductor's way, with
   * `conductor_addServerAsVoter` and `conductor_resume`.
   */
  formation: 'peers' | 'bootstrap';
  payloadBytes?: number;
  /** Nodes ask each other for missed blocks. By default only gossip and Baton bring them, as with op-node. */
  asksPeers?: boolean;
  /** Seconds between the blocks of the L1. */
  l1BlockTime?: number;
  /** Timestamp of the genesis block in seconds; now by default. */
  genesisTime?: number;
  /** Flags for every Baton. */
  flags?: readonly string[];
  /** Options of node for every Baton, as in NODE_OPTIONS. */
  nodeOptions?: string;
  /** Further flags for the Baton of one node, by its position. */
  flagsOf?: (index: number) => readonly string[];
  /** The name that each node has for the others, by its position; its address by default. */
  nameOf?: (index: number) => string;
  /** Where each node runs, by its position; here by default. */
  machines?: readonly Machine[];
  /** The token with which the test calls each Baton. */
  token?: string;
  /** The RPC ports speak TLS, by the given flags; in PEM, the issuer of their certificates for `localhost`. */
  rpcAuthority?: string;
  /** Each op-node calls its Baton on a separate port (`--rpc.local-addr`). */
  localRpc?: true;
}

/** One machine of the cluster: a Baton beside a simulated op-node and execution client. */
export interface ClusterNode {
  id: string;
  baton: BatonProcess;
  devnet: DevnetProcess;
  /** The disk of the simulated node. */
  devnetDir: string;
}

interface ServerInfo {
  id: string;
  addr: string;
  suffrage: number;
}

/** A whole cluster of processes on loopback, in a temporary directory. */
export class ProcessCluster {
  private readonly started: ClusterNode[] = [];
  private witnessProcess: BatonProcess | undefined;
  private directory: string | undefined;
  private stopping: Promise<void> | undefined;

  /** Empty before the start. */
  get nodes(): readonly ClusterNode[] {
    return this.started;
  }

  /** The member without a node, if there is one. */
  get witness(): BatonProcess {
    if (!this.witnessProcess) throw new Error('the cluster has no witness');
    return this.witnessProcess;
  }

  /** All Batons. */
  get members(): readonly BatonProcess[] {
    const { witnessProcess, nodes } = this;
    return [...nodes.map(({ baton }) => baton), ...(witnessProcess ? [witnessProcess] : [])];
  }

  /** Starts everything; if a part fails, stops the parts that did start. */
  async start(options: ClusterOptions): Promise<this> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'baton-cluster-'));
    this.directory = directory;
    const places = await placesFor(options, directory);
    const ofNodes = places.slice(0, options.size);
    const [ofWitness] = places.slice(options.size);
    const genesisTime = options.genesisTime ?? Math.floor(Date.now() / 1000);
    const peers = places
      .map(({ id, index, machine, consensusPort }) => {
        const host = options.nameOf?.(index) ?? machine.host;
        return `${id}@${host}:${consensusPort}`;
      })
      .join(',');
    try {
      const starts = ofNodes.map((place) => startDevnet({ ...options, genesisTime }, place, peers));
      const started = await Promise.allSettled(starts);
      this.started.push(...started.flatMap((node) => (node.status === 'fulfilled' ? [node.value] : [])));
      // Processes that did start are stopped with the others.
      await Promise.all(starts);
      const urls = this.nodes.map((node) => node.devnet.p2pUrl);
      await Promise.all(
        this.nodes.map((node) => node.devnet.setPeers(urls.filter((url) => url !== node.devnet.p2pUrl))),
      );
      if (ofWitness) {
        const flags = ['--raft.peers', peers, ...(options.flags ?? [])];
        this.witnessProcess = new BatonProcess({ ...ofWitness, storageDir: raftDir(ofWitness), flags });
      }
      await Promise.all(this.members.map((baton) => baton.start()));
      if (options.formation === 'bootstrap') await this.formByRpc();
      return this;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  node(id: string): ClusterNode {
    const node = this.nodes.find((candidate) => candidate.id === id);
    if (!node) throw new Error(`no node ${id}`);
    return node;
  }

  others(node: ClusterNode): ClusterNode[] {
    return this.nodes.filter((candidate) => candidate !== node);
  }

  /** The one running node that calls itself leader, as soon as there is exactly one. */
  leader(withinMs = 20_000): Promise<ClusterNode> {
    return waitFor('exactly one leader', () => this.findLeader(), withinMs);
  }

  /** The leader whose sequencer runs, as soon as it is the only active one. */
  activeLeader(withinMs = 30_000): Promise<ClusterNode> {
    return waitFor(
      'a leader with the only active sequencer',
      async () => {
        const leader = await this.findLeader();
        if (!leader) throw new Error(`no leader:\n${lastWords(this.members)}`);
        const running = this.nodes.filter((node) => node.devnet.pid !== undefined);
        const states = await Promise.all(running.map((node) => node.devnet.state()));
        const active = running.filter((_, index) => states[index]?.active);
        if (active.length === 1 && active[0] === leader) return leader;
        throw new Error(`${leader.id} leads, active is ${active.map(({ id }) => id).join(', ') || 'none'}`);
      },
      withinMs,
    );
  }

  /** Waits until exactly one of these nodes sequences; the others may be unable to answer. */
  activeAmong(nodes: readonly ClusterNode[]): Promise<ClusterNode> {
    return waitFor('one active sequencer among some nodes', async () => {
      const states = await Promise.all(nodes.map(({ devnet }) => devnet.state()));
      const active = nodes.filter((_, at) => states[at]?.active);
      return active.length === 1 && active[0];
    });
  }

  /** The number of the newest block that any running node has. */
  async height(): Promise<number> {
    const running = this.nodes.filter(({ devnet }) => devnet.pid !== undefined);
    const states = await Promise.all(running.map(({ devnet }) => devnet.state()));
    return Math.max(...states.map(({ head }) => head.number));
  }

  /** Waits until there are this many more blocks, and returns the number of the last one. */
  async moreBlocks(count: number): Promise<number> {
    const wanted = (await this.height()) + count;
    await waitFor(`block ${wanted}`, async () => (await this.height()) >= wanted);
    return wanted;
  }

  /** Waits until every running Baton calls its node healthy. */
  async allHealthy(withinMs = 30_000): Promise<void> {
    await waitFor(
      'all nodes to be healthy',
      async () => {
        const running = this.nodes.filter((node) => node.baton.pid !== undefined);
        const answers = running.map(({ baton }) => baton.call('conductor_sequencerHealthy'));
        return (await Promise.all(answers)).every((healthy) => healthy === true);
      },
      withinMs,
    );
  }

  /**
   * An L1 reorg that removes the L1 block from which the lowest head derives, and all above it: every op-node walks its
   * head back by itself; those that do not run do it when they are started.
   */
  async reorgL1(): Promise<void> {
    const running = this.nodes.filter(({ devnet }) => devnet.pid !== undefined);
    const states = await Promise.all(running.map(({ devnet }) => devnet.state()));
    const from = Math.max(1, Math.min(...states.map(({ l1Origin }) => l1Origin)));
    await Promise.all(this.nodes.map(({ devnet }) => devnet.reorgL1(from)));
  }

  /** Kills Baton, op-node and execution client of a node at once. */
  async killMachine(node: ClusterNode): Promise<void> {
    await Promise.all([node.baton.kill('SIGKILL'), node.devnet.kill('SIGKILL')]);
  }

  /** @param loseBlocks blocks that the execution client had not flushed when it was killed */
  async restartMachine(node: ClusterNode, loseBlocks = 0): Promise<void> {
    await Promise.all([node.devnet.restart({ loseBlocksOnRestart: loseBlocks }), node.baton.start()]);
  }

  /** Waits until all running nodes have this height, and returns its hash. */
  async convergedAt(number: number, withinMs = 30_000): Promise<string> {
    return convergedAt(this.nodes, number, withinMs);
  }

  /** State and recent logs of all processes, for a failed test. */
  report(): string {
    const devnets = this.nodes.map(({ id, devnet }) => `${id}'s op-node: ${devnet.log.slice(-1000)}`);
    return [lastWords(this.members), timeline(this.members), ...devnets].join('\n');
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    await Promise.all(this.members.map((baton) => baton.dispose()));
    await Promise.all(this.nodes.map((node) => node.devnet.kill('SIGKILL')));
    if (this.directory !== undefined) await rm(this.directory, { recursive: true, force: true });
  }

  private async findLeader(): Promise<ClusterNode | undefined> {
    const running = this.nodes.filter((node) => node.baton.pid !== undefined);
    const answers = await Promise.all(
      running.map((node) => node.baton.call<boolean>('conductor_leader').catch(() => false)),
    );
    const leaders = running.filter((_, index) => answers[index]);
    return leaders.length === 1 ? leaders[0] : undefined;
  }

  /** op-conductor's way to a cluster (docs/reference/op-conductor.md §9.1). */
  private async formByRpc(): Promise<void> {
    const [first, ...rest] = this.nodes as [ClusterNode, ...ClusterNode[]];
    await this.leader();
    for (const { id, baton } of rest) {
      await first.baton.call('conductor_addServerAsVoter', [id, baton.consensusAddress, 0]);
    }
    await waitFor('all nodes know all members', async () => {
      const views = await Promise.all(
        this.nodes.map(({ baton }) =>
          baton.call<{ servers: ServerInfo[] | null }>('conductor_clusterMembership'),
        ),
      );
      return views.every((view) => view.servers?.length === this.nodes.length);
    });
    for (const { baton } of this.nodes) await baton.call('conductor_resume');
  }
}

/** Where a node lives. */
interface Place {
  index: number;
  id: string;
  machine: Machine;
  /** Directory of everything that it keeps. */
  directory: string;
  rpcPort: number;
  consensusPort: number;
  /** Undefined: op-node uses the same port as everybody. */
  localRpcPort: number | undefined;
}

async function placesFor(options: ClusterOptions, directory: string): Promise<Place[]> {
  const count = options.size + (options.witness ? 1 : 0);
  const ports = await pickPorts(3 * count);
  return Array.from({ length: count }, (_, index) => {
    const id = index < options.size ? `sequencer-${index}` : 'witness';
    return {
      index,
      id,
      machine: options.machines?.[index] ?? THIS_MACHINE,
      directory: path.join(directory, id),
      rpcPort: ports[3 * index] as number,
      consensusPort: ports[3 * index + 1] as number,
      localRpcPort: options.localRpc && ports[3 * index + 2],
    };
  });
}

const raftDir = ({ directory }: Place): string => path.join(directory, 'raft');

/** Starts the simulated node of a place; its Baton is there, but does not run yet. */
async function startDevnet(
  options: ClusterOptions & { genesisTime: number },
  place: Place,
  peers: string,
): Promise<ClusterNode> {
  const { index, id, machine, directory, rpcPort, consensusPort, localRpcPort } = place;
  const devnetDir = path.join(directory, 'devnet');
  const devnet = await DevnetProcess.start(
    {
      name: id,
      dataDir: devnetDir,
      conductorRpc: `http://${machine.host}:${localRpcPort ?? rpcPort}`,
      blockTimeMs: options.blockTimeMs,
      genesisTime: options.genesisTime,
      ...(options.payloadBytes === undefined ? {} : { payloadBytes: options.payloadBytes }),
      asksPeers: options.asksPeers ?? false,
      ...(options.l1BlockTime === undefined ? {} : { l1BlockTime: options.l1BlockTime }),
    },
    machine,
  );
  const formation =
    options.formation === 'peers' ? ['--raft.peers', peers] : [index === 0 ? '--raft.bootstrap' : '--paused'];
  const baton = new BatonProcess({
    id,
    machine,
    storageDir: raftDir(place),
    rpcPort,
    consensusPort,
    nodeRpc: devnet.nodeRpc,
    executionRpc: devnet.executionRpc,
    flags: [
      ...formation,
      ...(localRpcPort === undefined ? [] : ['--rpc.local-addr', `${machine.host}:${localRpcPort}`]),
      ...(options.flags ?? []),
      ...(options.flagsOf?.(index) ?? []),
    ],
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.rpcAuthority === undefined ? {} : { rpcAuthority: options.rpcAuthority }),
    ...(options.nodeOptions === undefined ? {} : { nodeOptions: options.nodeOptions }),
  });
  return { id, baton, devnet, devnetDir };
}
