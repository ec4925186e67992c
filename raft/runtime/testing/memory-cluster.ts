import { afterEach, expect } from '@jest/globals';
import type { Persist } from '../../core/outputs.js';
import { MemoryDisk, MemoryStorage } from '../../storage/memory-storage.js';
import { eventually } from '../../testing/eventually.js';
import type { TransportHost } from '../../transport/transport-host.js';
import { MemoryNetwork } from './memory-network.js';
import { leaderOf, RuntimeHarness, type RuntimeHarnessOptions } from './runtime-harness.js';

/** The core evicts the data of entries that it handed out. A disk keeps them. */
class SeparateStorage extends MemoryStorage {
  override write(persist: Persist, clusterId?: string): Promise<void> {
    const entries = persist.entries.map((entry) => ({ ...entry }));
    return super.write({ ...persist, entries }, clusterId);
  }
}

/** Nodes of one test, by name. A node can be restarted on its disk. */
class MemoryCluster {
  readonly network = new MemoryNetwork();
  readonly disks = new Map<string, MemoryDisk>();
  readonly storages = new Map<string, MemoryStorage>();
  private readonly byId = new Map<string, RuntimeHarness>();

  constructor(private readonly options: Omit<RuntimeHarnessOptions, 'storage'> = {}) {}

  get nodes(): RuntimeHarness[] {
    return [...this.byId.values()];
  }

  node(id: string): RuntimeHarness {
    return this.byId.get(id) as RuntimeHarness;
  }

  storage(id: string): MemoryStorage {
    return this.storages.get(id) as MemoryStorage;
  }

  /** Where the network delivers messages for this node. */
  hostOf({ id }: RuntimeHarness): TransportHost {
    return this.network.hostOf(id);
  }

  others(than: RuntimeHarness): RuntimeHarness[] {
    return this.nodes.filter((node) => node !== than);
  }

  async start(id: string): Promise<RuntimeHarness> {
    const disk = this.disks.get(id) ?? new MemoryDisk();
    const storage = new SeparateStorage(disk);
    const node = new RuntimeHarness(id, { ...this.options, storage });
    this.disks.set(id, disk);
    this.storages.set(id, storage);
    this.byId.set(id, node);
    await node.start(this.network.transportOf(id));
    return node;
  }

  /** The first node leads at once, because it is alone. The others join it. */
  async found(...ids: string[]): Promise<RuntimeHarness> {
    const [first, ...others] = ids as [string, ...string[]];
    const leader = await this.start(first);
    expect(await leader.raft.bootstrap([leader.memberAt(`${first}:1`)])).toMatchObject({ outcome: 'done' });
    await this.leader();
    for (const id of others) {
      const { incarnation } = (await this.start(id)).raft.identity;
      const change = { type: 'addVoter' as const, id, address: `${id}:1`, incarnation };
      // Nobody has heard of the newcomer yet.
      expect(await leader.raft.changeMembership(change, undefined, { force: true })).toMatchObject({
        outcome: 'done',
      });
    }
    return this.leader();
  }

  leader(among = this.nodes): Promise<RuntimeHarness> {
    return eventually(() => leaderOf(among), 'a leader');
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.raft.stop()));
  }
}

/** Makes clusters that are stopped at the end of their test. */
export function clustersOfEachTest(): (options?: Omit<RuntimeHarnessOptions, 'storage'>) => MemoryCluster {
  const clusters: MemoryCluster[] = [];
  afterEach(async () => {
    await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
  });
  return (options) => {
    const cluster = new MemoryCluster(options);
    clusters.push(cluster);
    return cluster;
  };
}

export const bytes = (text: string): Buffer => Buffer.from(text);
