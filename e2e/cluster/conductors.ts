import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { JsonRpcClient } from '../../rpc/clients/json-rpc-client.js';
import { DevnetProcess, pickPorts } from '../devnet/devnet-process.js';
import { refOf, type PayloadEnvelope } from '../devnet/payload.js';
import { BatonProcess } from './baton-process.js';
import { timeline } from './timeline.js';
import { waitFor } from './wait-for.js';

const CALL_DEADLINE_MS = 5_000;

interface Place {
  id: string;
  storageDir: string;
  rpcPort: number;
  consensusPort: number;
}

/**
 * Batons without sequencers: the test itself is their op-node. One idle op-node is behind all of them, so they must be
 * started with `--paused`. Each has its ports and directory from the beginning, and may be started several times with
 * different flags.
 */
export class Conductors {
  readonly batons = new Map<string, BatonProcess>();

  private places: Place[] = [];
  private directory: string | undefined;
  private opNode: DevnetProcess | undefined;

  /** @param genesisTime of the chain behind them, in seconds; the time of the start by default */
  constructor(
    readonly ids: readonly string[] = ['sequencer-0', 'sequencer-1', 'sequencer-2'],
    private readonly genesisTime?: number,
  ) {}

  /** Starts the op-node, and no Baton yet. */
  async prepare(): Promise<void> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'baton-conductors-'));
    this.directory = directory;
    const ports = await pickPorts(2 * this.ids.length);
    this.places = this.ids.map((id, index) => ({
      id,
      storageDir: path.join(directory, id),
      rpcPort: ports[2 * index] as number,
      consensusPort: ports[2 * index + 1] as number,
    }));
    this.opNode = await DevnetProcess.start({
      name: 'idle',
      dataDir: path.join(directory, 'op-node'),
      conductorRpc: 'http://127.0.0.1:1',
      genesisTime: this.genesisTime ?? Math.floor(Date.now() / 1000),
    });
  }

  /** Starts everything: all of them form a cluster from one list. */
  async startCluster(flags: readonly string[] = []): Promise<void> {
    await this.prepare();
    const all = ['--paused', '--raft.peers', this.peers(), ...flags];
    await Promise.all(this.ids.map((id) => this.start(id, all)));
    await this.leader();
  }

  /** Has the op-node behind all of them import blocks, each on top of the previous one. */
  async importBlocks(blocks: readonly PayloadEnvelope[]): Promise<void> {
    const opNode = this.idleOpNode();
    const client = new JsonRpcClient({ url: opNode.nodeRpc, timeoutMs: CALL_DEADLINE_MS });
    try {
      for (const block of blocks) {
        await client.call({ method: 'admin_postUnsafePayload', params: [block], result: z.unknown() });
      }
    } finally {
      await client.close();
    }
    const last = refOf(blocks.at(-1)!).hash;
    await waitFor(`the op-node to import ${last}`, async () => (await opNode.state()).head.hash === last);
  }

  /** Value of `--raft.peers` for these nodes; all of them by default. */
  peers(ids: readonly string[] = this.ids): string {
    return ids.map((id) => `${id}@${this.address(id)}`).join(',');
  }

  /** Consensus address. */
  address(id: string): string {
    return `127.0.0.1:${this.place(id).consensusPort}`;
  }

  /** Value of `--raft.storage.dir`. */
  storageDir(id: string): string {
    return this.place(id).storageDir;
  }

  get(id: string): BatonProcess {
    const baton = this.batons.get(id);
    if (!baton) throw new Error(`${id} was never started`);
    return baton;
  }

  /** Starts a node with these flags, in place of one that was started before. */
  async start(id: string, flags: readonly string[]): Promise<BatonProcess> {
    const before = this.batons.get(id);
    await before?.dispose();
    const { nodeRpc, executionRpc } = this.idleOpNode();
    const baton = new BatonProcess({ ...this.place(id), nodeRpc, executionRpc, flags });
    // The log of a node continues across restarts.
    if (before) baton.log.push(...before.log);
    this.batons.set(id, baton);
    await baton.start();
    return baton;
  }

  /** The one running node that calls itself leader, as soon as there is exactly one. */
  leader(): Promise<BatonProcess> {
    return waitFor('exactly one leader', async () => {
      const leaders = await this.leaders();
      return leaders.length === 1 ? leaders[0] : undefined;
    });
  }

  /** Makes a node the leader, which needs the whole log on its disk. */
  async makeLeader(id: string): Promise<BatonProcess> {
    return waitFor(`${id} to lead`, async () => {
      const leader = await this.leader();
      if (leader.id === id) return leader;
      await leader.call('conductor_transferLeaderToServer', [id, this.address(id)]);
      return undefined;
    });
  }

  /** The running nodes that call themselves leader now. */
  async leaders(): Promise<BatonProcess[]> {
    const running = [...this.batons.values()].filter((baton) => baton.pid !== undefined);
    const answers = await Promise.all(
      running.map((baton) => baton.call<boolean>('conductor_leader').catch(() => false)),
    );
    return running.filter((_, index) => answers[index]);
  }

  /** Recent logs of all processes, for a failed test. */
  report(): string {
    return timeline([...this.batons.values()]);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.batons.values()].map((baton) => baton.dispose()));
    await this.opNode?.kill();
    if (this.directory !== undefined) await rm(this.directory, { recursive: true, force: true });
  }

  private idleOpNode(): DevnetProcess {
    if (!this.opNode) throw new Error('the op-node was not started: prepare() comes first');
    return this.opNode;
  }

  private place(id: string): Place {
    const place = this.places.find((candidate) => candidate.id === id);
    if (!place) throw new Error(`no node ${id}`);
    return place;
  }
}
