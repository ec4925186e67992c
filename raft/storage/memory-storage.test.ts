import { describe, expect, it } from '@jest/globals';
import { MemoryDisk, MemoryStorage } from './memory-storage.js';
import { describeStorage } from './testing/storage-contract.js';
import { firstEntries, persist } from './testing/test-log.js';

describeStorage('MemoryStorage', async () => {
  const disk = new MemoryDisk();
  return {
    storage: () => new MemoryStorage(disk),
    failingWrite: (storage, order, clusterId) => {
      const memory = storage as MemoryStorage;
      memory.manual = true;
      const written = memory.write(order, clusterId);
      memory.failWrite('injected');
      return written;
    },
    damageManifest: async () => {
      disk.manifest = undefined;
    },
    removeEntry: async (index) => {
      disk.entries = disk.entries.filter((entry) => entry.index !== index);
    },
    damageData: async (index) => {
      disk.entries = disk.entries.map((entry) =>
        entry.index === index ? { ...entry, data: Buffer.from('damaged') } : entry,
      );
    },
    replaceEntry: async (foreign) => {
      disk.entries = disk.entries.map((entry) => (entry.index === foreign.index ? foreign : entry));
    },
    dispose: async () => undefined,
  };
});

describe('MemoryStorage under control', () => {
  async function manualStorage() {
    const disk = new MemoryDisk();
    const storage = new MemoryStorage(disk);
    await storage.open('n1');
    storage.manual = true;
    return { disk, storage };
  }

  it('completes a write when told, and shows it until then', async () => {
    const { storage } = await manualStorage();
    const order = persist({ seq: 7, entries: firstEntries('a') });
    let done = false;
    const written = storage.write(order).then(() => (done = true));
    await new Promise(setImmediate);
    expect(done).toBe(false);
    expect(storage.pendingWrite).toBe(order);
    storage.completeWrite();
    await written;
    expect(storage.pendingWrite).toBeUndefined();
    expect(await storage.readEntries(1, 1, 10)).toHaveLength(1);
  });

  it('loses the pending write in a crash', async () => {
    const { disk, storage } = await manualStorage();
    void storage.write(persist({ entries: firstEntries('a') }));
    storage.completeWrite();
    void storage.write(persist({ hardState: { term: 9, votedFor: 'n2', commit: 1 } }));
    storage.crash();
    const { state } = await new MemoryStorage(disk).open('n1');
    expect(state.headers).toHaveLength(1);
    expect(state.hardState.term).toBe(1);
  });

  it('refuses a second write while one is pending', async () => {
    const { storage } = await manualStorage();
    void storage.write(persist({ seq: 1 })).catch(() => undefined);
    await expect(storage.write(persist({ seq: 2 }))).rejects.toMatchObject({ code: 'concurrent-write' });
  });
});
