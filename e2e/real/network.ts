import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { batcherCommand } from './batcher.js';
import { CommitWitness } from './commit-witness.js';
import { conductorCommand, formCluster, storageFolder } from './conductor.js';
import { latestBlock, rewind } from './execution.js';
import { l1Genesis, l2Genesis, rollupConfig, type ChainStart, type Parties } from './genesis.js';
import { executionCommand, initGeth, l1Command } from './geth.js';
import { SeenBlocks } from './chain-check.js';
import { call } from './json-rpc.js';
import { loggedResets, type LoggedReset } from './logged-resets.js';
import { MachinesApart } from './machines-apart.js';
import { planNodes, type SequencerNode } from './node.js';
import { opNodeCommand } from './op-node.js';
import { freePorts } from './ports.js';
import { Programs } from './programs.js';
import type { Environment } from './environment.js';
import { waitFor } from '../cluster/wait-for.js';

const BATCHER = 'op-batcher';
const L1_BLOCK_PERIOD_S = 2;
const START_DEADLINE_MS = 90_000;

export interface NetworkOptions {
  /** Holds geth, op-node and op-batcher. */
  programFolder: string;
  /** The conductor under test and its leading arguments. */
  conductor: readonly string[];
  /** An empty folder for everything that the network writes. */
  folder: string;
  environment: Environment;
  /** Starts the first sequencer by hand, without which op-conductor never starts a new chain. */
  startByHand: boolean;
}

/** The parts of a node, in the order in which they start. */
const PARTS = ['geth', 'op-node', 'conductor'] as const;
export type Part = (typeof PARTS)[number];

interface PartOptions {
  /** A conductor that leaves its node alone until it is resumed. */
  paused?: boolean;
  /** Whether op-node waits with its sequencer until it is told to start. */
  stopped?: boolean;
  /** An op-node without a conductor. */
  alone?: boolean;
}

/** One L1, three sequencer nodes and a batcher, all real programs. */
export class RealNetwork {
  readonly programs: Programs;
  readonly userKey = generatePrivateKey();
  readonly backgroundKey = generatePrivateKey();
  readonly l1Url: string;
  /** Every block that an execution client had in its chain, or that was acknowledged. */
  readonly seen = new SeenBlocks();
  readonly witness = new CommitWitness((block) => this.seen.note(`the conductor of ${block.node}`, block));
  private readonly sequencerKey = generatePrivateKey();
  private readonly batcherKey = generatePrivateKey();

  private constructor(
    private readonly options: NetworkOptions,
    readonly nodes: readonly SequencerNode[],
    private readonly l1Port: number,
    private readonly l1EnginePort: number,
    private readonly batcherPort: number,
  ) {
    this.programs = new Programs(this.logFolder);
    this.l1Url = `http://${options.environment.here}:${l1Port}`;
  }

  /** Chooses ports and keys; nothing is started or written. */
  static async plan(options: NetworkOptions): Promise<RealNetwork> {
    const [l1Port, l1EnginePort, batcherPort] = (await freePorts(3)) as [number, number, number];
    return new RealNetwork(
      options,
      await planNodes(options.environment, options.folder),
      l1Port,
      l1EnginePort,
      batcherPort,
    );
  }

  /** Its machines and the links between them. @throws Error if all are this machine */
  get apart(): MachinesApart {
    const { environment } = this.options;
    if (environment instanceof MachinesApart) return environment;
    throw new Error('all nodes of this network are on one machine');
  }

  get logFolder(): string {
    return path.join(this.options.folder, 'log');
  }

  /** Databases of all geths: large, and useless after a run. */
  get chainFolder(): string {
    return path.join(this.options.folder, 'chain');
  }

  /** Starts the L1 and all nodes, and forms the cluster. The conductors stay paused, and no block exists. */
  async start(): Promise<void> {
    const folders = [this.logFolder, this.chainFolder, ...this.nodes.map((node) => node.folder)];
    await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true })));
    await writeFile(this.file('jwt.txt'), randomBytes(32).toString('hex'));

    const { l1, l2 } = await this.startChains();
    await writeFile(this.file('rollup.json'), JSON.stringify(rollupConfig(this.parties(), l1, l2), null, 1));
    await Promise.all(this.nodes.map((node) => this.witness.watch(node)));
    await Promise.all(this.nodes.map((node) => this.startPart(node, 'op-node')));
    await this.foundCluster();
  }

  /**
   * Starts conductors, all by default, paused and with emptied directories, and makes one cluster of them.
   * The first node is its founder.
   */
  async foundCluster(members = this.nodes): Promise<void> {
    await Promise.all(this.nodes.map((node) => rm(storageFolder(node), { recursive: true, force: true })));
    await Promise.all(members.map((node) => this.startPart(node, 'conductor', { paused: true })));
    const [first, ...others] = members as [SequencerNode, ...SequencerNode[]];
    await formCluster(first, others);
  }

  /** Ends the pause of all conductors. From here on they start blocks. */
  async resume(): Promise<void> {
    if (this.options.startByHand) await this.startFirstSequencer();
    for (const node of this.nodes) await call(node.conductorUrl, 'conductor_resume', [], 15_000);
  }

  startBatcher(): void {
    const command = batcherCommand(
      this.bin('op-batcher'),
      this.l1Url,
      this.nodes,
      this.batcherKey,
      this.batcherPort,
    );
    this.programs.start(BATCHER, command);
  }

  /** Ends the batcher if it runs. From here on no block gets to L1. */
  async killBatcher(): Promise<void> {
    if (this.programs.isRunning(BATCHER)) await this.programs.end(BATCHER, 'SIGKILL');
  }

  /**
   * Starts all parts of a node that was down. With `forgetFrom` its execution client drops that block and all
   * above it before anything else sees them. Returns the number of the block that the client came back with.
   */
  async startNode(node: SequencerNode, forgetFrom?: number): Promise<number> {
    await this.startPart(node, 'geth');
    if (forgetFrom !== undefined) await rewind(node, forgetFrom - 1);
    const head = await latestBlock(node);
    await this.startPart(node, 'op-node');
    await this.startPart(node, 'conductor');
    return head.number;
  }

  /** Starts one part and returns when it answers. */
  async startPart(node: SequencerNode, part: Part, options: PartOptions = {}): Promise<void> {
    const command = await this.command(node, part, options);
    this.programs.start(programName(node, part), [...node.machine.enter, ...command]);
    const [url, method] = {
      geth: [node.executionUrl, 'eth_blockNumber'] as const,
      'op-node': [node.nodeUrl, 'optimism_syncStatus'] as const,
      conductor: [node.conductorUrl, 'conductor_paused'] as const,
    }[part];
    await this.waitFor(
      `${programName(node, part)} to answer`,
      async () => {
        await call(url, method);
        return true;
      },
      START_DEADLINE_MS,
    );
  }

  async killPart(node: SequencerNode, part: Part): Promise<void> {
    await this.kill([programName(node, part)]);
  }

  /** Freezes one part: its connections stay open, but it does not answer until it is thawed. */
  freeze(node: SequencerNode, part: Part): void {
    this.programs.freeze(programName(node, part));
  }

  thaw(node: SequencerNode, part: Part): void {
    this.programs.thaw(programName(node, part));
  }

  /**
   * Takes the chain of a stopped geth back to block `number`. Meanwhile it runs at unknown ports and without peers. The
   * next start finds what a crash may leave: a node that lacks its newest blocks.
   */
  async rewindWhileDown(node: SequencerNode, number: number): Promise<void> {
    const [executionPort, enginePort, executionPeerPort] = (await freePorts(3)) as [number, number, number];
    const executionUrl = `http://${node.machine.host}:${executionPort}`;
    const hidden = { ...node, executionPort, enginePort, executionPeerPort, executionUrl };
    const name = `${programName(node, 'geth')}-hidden`;
    const command = await executionCommand(this.bin('geth'), hidden, [hidden], this.file('jwt.txt'));
    this.programs.start(name, [...node.machine.enter, ...command]);
    await this.waitFor('geth to answer out of sight', () => latestBlock(hidden), START_DEADLINE_MS);
    await rewind(hidden, number);
    await this.programs.end(name, 'SIGTERM');
  }

  /** Kills all parts of the node with SIGKILL, at the same moment. */
  async killNode(node: SequencerNode): Promise<void> {
    await this.kill(PARTS.map((part) => programName(node, part)));
  }

  /**
   * Kills everything except the L1 with SIGKILL, at the same moment. A surviving batcher would land the blocks it had
   * loaded, and every node would get from L1 what only the conductors' log should have.
   */
  async killAllButL1(): Promise<void> {
    const nodes = this.nodes.flatMap((node) => PARTS.map((part) => programName(node, part)));
    await this.kill([...nodes, BATCHER].filter((name) => this.programs.isRunning(name)));
  }

  /** Sends SIGTERM to a node's conductor and returns how it ended. */
  stopConductor(node: SequencerNode): Promise<string> {
    return this.programs.end(programName(node, 'conductor'), 'SIGTERM');
  }

  pidOf(node: SequencerNode, part: Part): number {
    return this.programs.pid(programName(node, part));
  }

  /** Everything that a part has logged, in all its runs. */
  logOf(node: SequencerNode, part: Part): string {
    return this.programs.log(programName(node, part));
  }

  /** The reset entries in the log of any conductor, each as often as it was applied. */
  resets(): LoggedReset[] {
    return this.nodes.flatMap((node) => loggedResets(this.logOf(node, 'conductor')));
  }

  /** Nodes of which all parts run. */
  runningNodes(): SequencerNode[] {
    return this.nodes.filter((node) =>
      PARTS.every((part) => this.programs.isRunning(programName(node, part))),
    );
  }

  /** Like {@link waitFor}, but gives up at once when a program dies unexpectedly. */
  waitFor<T>(what: string, probe: () => Promise<T | undefined | false>, withinMs: number): Promise<T> {
    return waitFor(
      what,
      () => {
        this.programs.assertAlive();
        return probe();
      },
      withinMs,
    );
  }

  private async startFirstSequencer(): Promise<void> {
    const [first] = this.nodes as [SequencerNode];
    const { hash } = await latestBlock(first);
    await call(first.nodeUrl, 'admin_startSequencer', [hash], 15_000);
    await this.waitFor(
      'the first block',
      async () => (await latestBlock(first)).number > 0,
      START_DEADLINE_MS,
    );
  }

  private async kill(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.programs.end(name, 'SIGKILL')));
  }

  /** Stops the L1 cleanly and restarts it with the same chain. */
  async restartL1(): Promise<void> {
    await this.programs.end('l1', 'SIGTERM');
    this.startL1();
  }

  private get l1Data(): string {
    return path.join(this.chainFolder, 'l1');
  }

  private startL1(): void {
    const { here } = this.options.environment;
    this.programs.start(
      'l1',
      l1Command(this.bin('geth'), this.l1Data, here, this.l1Port, this.l1EnginePort, L1_BLOCK_PERIOD_S),
    );
  }

  private async startChains(): Promise<{ l1: ChainStart; l2: ChainStart }> {
    const timestampS = Math.floor(Date.now() / 1000);
    const geth = this.bin('geth');
    const l1Setup = l1Genesis(this.parties(), timestampS);
    await writeFile(this.file('l1-config.json'), JSON.stringify(l1Setup.config));
    await initGeth(geth, this.l1Data, this.file('l1-genesis.json'), l1Setup);
    this.startL1();
    const l1 = await this.waitFor('the L1 to answer', () => chainStart(this.l1Url), START_DEADLINE_MS);

    const l2Setup = l2Genesis(this.parties(), timestampS);
    await Promise.all(
      this.nodes.map(async (node) => {
        await initGeth(geth, node.chainFolder, path.join(node.folder, 'genesis.json'), l2Setup);
        await this.startPart(node, 'geth');
      }),
    );
    return { l1, l2: await chainStart(this.nodes[0]?.executionUrl ?? '') };
  }

  private async command(
    node: SequencerNode,
    part: Part,
    { paused = false, stopped = true, alone = false }: PartOptions,
  ): Promise<string[]> {
    if (part === 'geth') return executionCommand(this.bin('geth'), node, this.nodes, this.file('jwt.txt'));
    if (part === 'conductor') {
      return conductorCommand(this.options.conductor, node, this.file('rollup.json'), { paused });
    }
    const settings = {
      opNode: this.bin('op-node'),
      l1Url: this.l1Url,
      l1ConfigFile: this.file('l1-config.json'),
      rollupConfigFile: this.file('rollup.json'),
      jwtFile: this.file('jwt.txt'),
      sequencerKey: this.sequencerKey,
    };
    return opNodeCommand(settings, node, this.nodes, { stopped, alone });
  }

  private parties(): Parties {
    const address = (key: Hex) => privateKeyToAccount(key).address;
    return {
      sequencer: address(this.sequencerKey),
      batcher: address(this.batcherKey),
      user: address(this.userKey),
      background: address(this.backgroundKey),
    };
  }

  private bin(name: string): string {
    return path.join(this.options.programFolder, name);
  }

  private file(name: string): string {
    return path.join(this.options.folder, name);
  }
}

/** Name of a part's process and log. */
function programName(node: SequencerNode, part: Part): string {
  return `${part}-${node.index}`;
}

async function chainStart(url: string): Promise<ChainStart> {
  const block = await call<{ hash: Hex; timestamp: Hex }>(url, 'eth_getBlockByNumber', ['0x0', false]);
  return { hash: block.hash, timestampS: Number(block.timestamp) };
}
