import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LoadedEntry } from '../../raft/index.js';
import {
  entryOf,
  payloadOf,
  recordEntryOf,
  recordOf,
  refOf,
  resetEntryOf,
  snapshotOf,
} from '../testing/chain.js';
import { ChainHistory } from './chain-history.js';
import { ChainStateMachine } from './chain-state-machine.js';
import { hasPayload, type CommittedBlock } from './chain-state.js';
import type { JournalEntry } from './cluster-records.js';

const PAUSE = { type: 'pause', member: null, untilMs: null } as const;

/** A machine over this log, of which it loses what a compaction drops. */
class Node {
  readonly told: JournalEntry[] = [];
  readonly machine = new ChainStateMachine(
    () => undefined,
    (entry) => this.told.push(entry),
  );
  private readonly log = new Map<number, LoadedEntry>();
  readonly history = new ChainHistory(this.machine, async (from) => {
    const entry = this.log.get(from);
    return entry ? [entry] : [];
  });

  constructor(entries: readonly LoadedEntry[] = []) {
    entries.forEach((entry) => this.apply(entry));
  }

  apply(entry: LoadedEntry): void {
    this.log.set(entry.index, entry);
    this.machine.apply(entry);
  }

  async compact(index: number): Promise<Uint8Array> {
    const data = await this.machine.snapshotAt(index, async (at) => {
      const entry = this.log.get(at);
      if (!entry) throw new Error(`entry ${at} is not in the log`);
      return entry;
    });
    for (const at of this.log.keys()) if (at <= index) this.log.delete(at);
    return data;
  }

  restore(index: number, data: Uint8Array): this {
    this.log.clear();
    this.machine.restore(snapshotOf(index, data));
    return this;
  }

  /** Everything that has to be the same on all nodes. */
  get state(): object {
    const { head } = this.machine.live;
    return { head: head && { number: head.number, hash: head.hash }, ...this.machine.records.state() };
  }

  async headPayload(): Promise<Buffer | undefined> {
    const { head } = this.machine.live;
    return head && hasPayload(head) ? this.history.payload(head) : undefined;
  }
}

describe('records in the state machine', () => {
  it('leave the chain alone, and are told once', () => {
    const node = new Node([entryOf(1, refOf(101))]);
    const record = recordOf('r1', { change: PAUSE });
    node.apply(recordEntryOf(2, record));
    node.apply(recordEntryOf(3, record));
    expect(node.told).toEqual([{ logIndex: 2, record }]);
    expect(node.machine.live.head?.hash).toBe(refOf(101).hash);
    expect(node.machine.records.maintenance.cluster?.id).toBe('r1');
  });

  it('make no other snapshot while there are none: an older release reads it', async () => {
    const node = new Node([entryOf(1, refOf(101)), recordEntryOf(2, recordOf('r1'))]);
    const before = await node.compact(1);
    expect([...before.subarray(0, 2)]).toEqual([1, 1]);
    expect([...(await node.compact(2)).subarray(0, 2)]).toEqual([5, 1]);
    expect(new Node().restore(1, before).state).toEqual({
      head: { number: 101, hash: refOf(101).hash },
      journal: [],
      maintenance: { cluster: null, members: {}, halt: null },
    });
  });

  it('are in the snapshot of an empty chain', async () => {
    const node = new Node([recordEntryOf(1, recordOf('r1', { change: PAUSE }))]);
    const restored = new Node().restore(1, await node.compact(1));
    expect(restored.state).toEqual(node.state);
    restored.apply(entryOf(2, refOf(101)));
    expect(restored.machine.live.head?.number).toBe(101);
  });

  it('are written the same, byte for byte, by a node that has them from a snapshot', async () => {
    const halt = { type: 'halt' } as const;
    const node = new Node([
      recordEntryOf(1, recordOf('r1', { change: { ...PAUSE, member: 'a' } })),
      recordEntryOf(2, recordOf('r2', { change: PAUSE })),
      recordEntryOf(3, recordOf('r3', { change: halt })),
    ]);
    const restored = new Node().restore(3, await node.compact(3));
    for (const each of [node, restored]) each.apply(recordEntryOf(4, recordOf('r4')));
    const [own, other] = [await node.compact(4), await restored.compact(4)];
    expect(Buffer.from(other).toString('latin1')).toBe(Buffer.from(own).toString('latin1'));
  });

  it('as the newest entries, let the log be shortened to them', async () => {
    const node = new Node([entryOf(1, refOf(101)), entryOf(2, refOf(102))]);
    for (let at = 3; at <= 12; at++) node.apply(recordEntryOf(at, recordOf(`r${at}`)));
    const data = await node.compact(11);
    const restored = new Node().restore(11, data);
    expect(restored.machine.records.journal.map(({ logIndex }) => logIndex)).toEqual([
      3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
    for (const each of [node, restored]) {
      expect(await each.headPayload()).toEqual(payloadOf(refOf(102)).ssz);
      each.apply(entryOf(13, refOf(103)));
      expect(each.machine.live.blocksAbove(102)).toHaveLength(1);
    }
  });

  it('refuse a snapshot of a newer release, and say what to do', async () => {
    const data = Buffer.from(await new Node([recordEntryOf(1, recordOf('r1'))]).compact(1));
    const newer = Buffer.from(data);
    newer[1] = 99;
    expect(() => new Node().restore(1, newer)).toThrow(/records of version 99\. A newer release wrote this/);
    const other = Buffer.from(data.toString('latin1').replace('"journal"', '"jovrnal"'), 'latin1');
    for (const broken of [other, data.subarray(0, 1), data.subarray(0, 5), data.subarray(0, 20)]) {
      expect(() => new Node().restore(1, broken)).toThrow('A newer release wrote this');
    }
  });

  it('stay as another node has them when its snapshot comes while one is made here', async () => {
    const other = await new Node([entryOf(1, refOf(101)), recordEntryOf(2, recordOf('other'))]).compact(2);
    const node = new Node([entryOf(1, refOf(101)), recordEntryOf(2, recordOf('own'))]);
    const made = node.machine.snapshotAt(2, async () => entryOf(1, refOf(101)));
    node.restore(2, other);
    await made;
    expect(node.machine.records.journal.map(({ record }) => record.id)).toEqual(['other']);
  });

  it('for any log and any compactions, a restored node has the state of the others', async () => {
    const step = fc.record({
      kind: fc.constantFrom('block', 'block', 'record', 'record', 'reset'),
      id: fc.nat(6),
      member: fc.constantFrom(null, 'a'),
      resumes: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 3 }),
        async (steps, cuts) => {
          const plain = new Node();
          const entries = steps.map(({ kind, id, member, resumes }, at) => {
            const { head } = plain.machine.live;
            const height = head?.number ?? 100;
            let entry = entryOf(at + 1, refOf(height + 1));
            if (kind === 'record') {
              const change = resumes
                ? ({ type: 'resume', member, pauseId: null } as const)
                : { ...PAUSE, member };
              entry = recordEntryOf(at + 1, recordOf(`r${id}`, { change }));
            } else if (kind === 'reset' && head) {
              entry = resetEntryOf(at + 1, head, refOf(height - 1));
            }
            plain.apply(entry);
            return entry;
          });
          const compacting = new Node(entries);
          for (const index of [...new Set(cuts)]
            .sort((x, y) => x - y)
            .filter((cut) => cut <= entries.length)) {
            const restored = new Node().restore(index, await compacting.compact(index));
            entries.slice(index).forEach((entry) => restored.apply(entry));
            for (const node of [restored, compacting]) {
              expect(node.state).toEqual(plain.state);
              const head = node.machine.live.head as CommittedBlock | undefined;
              if (head && hasPayload(head)) {
                expect(await node.headPayload()).toEqual(payloadOf(refOf(head.number)).ssz);
              }
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
