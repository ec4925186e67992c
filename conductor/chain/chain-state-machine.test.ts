import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LoadedEntry } from '../../raft/index.js';
import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';
import {
  committed,
  entryOf,
  hashOf,
  payloadOf,
  refOf,
  resetEntryOf,
  resetOf,
  snapshotOf,
} from '../testing/chain.js';
import { ChainHistory } from './chain-history.js';
import { ChainStateMachine } from './chain-state-machine.js';
import { hasPayload, type CommittedBlock, type CommittedHead, type Verdict } from './chain-state.js';
import { decodeCommand } from './log-command.js';

/** A state machine and its log, as the Raft node keeps it. */
class Node {
  readonly told: [CommittedHead, Verdict][] = [];
  readonly machine = new ChainStateMachine((head, verdict) => this.told.push([head, verdict]));
  private log = new Map<number, LoadedEntry>();

  readonly read = async (index: number): Promise<LoadedEntry> => {
    const entry = this.log.get(index);
    if (!entry) throw new Error(`entry ${index} is not in the log`);
    return entry;
  };

  readonly history = new ChainHistory(this.machine, async (from) => {
    const entry = this.log.get(from);
    return entry ? [entry] : [];
  });

  apply(entry: LoadedEntry): Verdict {
    this.log.set(entry.index, entry);
    return this.machine.apply(entry) as Verdict;
  }

  async compact(index: number): Promise<Uint8Array> {
    const data = await this.machine.snapshotAt(index, this.read);
    for (const logged of this.log.keys()) if (logged <= index) this.log.delete(logged);
    return data;
  }

  restore(index: number, data: Uint8Array): void {
    this.log.clear();
    this.machine.restore(snapshotOf(index, data));
  }

  get head(): BlockRef | undefined {
    const head = this.machine.live.head;
    return head && hasPayload(head) ? refOnly(head) : undefined;
  }

  /** Also works after a reset to a block that is not retained. */
  get headId(): BlockId | undefined {
    const head = this.machine.live.head;
    return head && { number: head.number, hash: head.hash };
  }
}

const payloadIn = (snapshot: Uint8Array): Buffer => decodeCommand(snapshot).payload?.ssz ?? Buffer.alloc(0);

const refOnly = ({ number, hash, parentHash, timestamp }: BlockRef): BlockRef => ({
  number,
  hash,
  parentHash,
  timestamp,
});

/** Blocks 101, 102, … at the log indices 1, 2, …. */
function nodeWith(blocks: number): Node {
  const node = new Node();
  for (let index = 1; index <= blocks; index++) node.apply(entryOf(index, refOf(100 + index)));
  return node;
}

describe('ChainStateMachine', () => {
  it('tells what was applied, refused commands included', () => {
    const node = new Node();
    const entry = entryOf(7, refOf(101));
    node.apply(entry);
    node.apply(entryOf(8, refOf(101, 'b')));
    const byteLength = payloadOf(refOf(101)).ssz.length;
    expect(node.told[0]).toEqual([{ ...refOf(101), logIndex: 7, byteLength }, { type: 'append' }]);
    expect(node.told[1]?.[1].type).toBe('refused');
    expect(node.head).toEqual(refOf(101));
  });

  it('makes an empty snapshot of an empty chain and restores it (op-conductor crashes: issue #13363)', async () => {
    const node = new Node();
    const data = await node.compact(3);
    expect(data.length).toBe(0);
    node.apply(entryOf(4, refOf(101)));
    node.restore(3, data);
    expect(node.head).toBeUndefined();
    expect(node.machine.apply(entryOf(4, refOf(101)))).toEqual({ type: 'append' });
  });

  it('makes a snapshot of the past: the head as it was, and the payloads after it stay readable', async () => {
    const node = nodeWith(6);
    expect(payloadIn(await node.compact(3)).equals(payloadOf(refOf(103)).ssz)).toBe(true);
    expect(node.head).toEqual(refOf(106));
    expect(node.machine.live.blocksAbove(102)).toBeUndefined();
    const above = node.machine.live.blocksAbove(103) ?? [];
    expect(above.map((block) => block.number)).toEqual([104, 105, 106]);
    for (const block of above) {
      expect((await node.history.payload(block)).equals(payloadOf(refOnly(block)).ssz)).toBe(true);
    }
  });

  it('keeps the payload of the head when the log has lost it', async () => {
    const node = nodeWith(3);
    await node.compact(9);
    const head = node.machine.live.head as CommittedBlock;
    expect((await node.history.payload(head)).equals(payloadOf(refOf(103)).ssz)).toBe(true);
    await node.compact(12);
    expect((await node.history.payload(head)).equals(payloadOf(refOf(103)).ssz)).toBe(true);
  });

  it('has the payload of the head after a restore', async () => {
    const source = nodeWith(3);
    const node = new Node();
    node.restore(5, await source.compact(5));
    expect(node.head).toEqual(refOf(103));
    const head = node.machine.live.head as CommittedBlock;
    expect((await node.history.payload(head)).equals(payloadOf(refOf(103)).ssz)).toBe(true);
    expect(payloadIn(await node.compact(6)).equals(payloadOf(refOf(103)).ssz)).toBe(true);
  });

  it('refuses a snapshot of a newer release, and says what to do', async () => {
    const snapshot = Buffer.from(await nodeWith(3).compact(3));
    snapshot[1] = 99;
    const node = nodeWith(1);
    expect(() => node.restore(5, snapshot)).toThrow(
      /version 99\. A newer release wrote this.*run that release/,
    );
    expect(node.head).toEqual(refOf(101));
  });

  it('forgets on a restore what it applied before', async () => {
    const source = new Node();
    source.apply(entryOf(19, refOf(103, 'b')));
    const node = nodeWith(6);
    node.restore(20, await source.compact(20));
    expect(node.head).toEqual(refOf(103, 'b'));
    expect(payloadIn(await node.compact(21)).equals(payloadOf(refOf(103, 'b')).ssz)).toBe(true);
  });

  it('copies the payload out of the log entry, whose memory would stay with it otherwise', async () => {
    const node = new Node();
    const entry = entryOf(1, refOf(101));
    node.apply(entry);
    const data = await node.compact(1);
    entry.data.fill(0xee);
    expect(payloadIn(data).equals(payloadOf(refOf(101)).ssz)).toBe(true);
  });

  it('says so when a payload has left the log', async () => {
    const node = nodeWith(4);
    const [gone] = node.machine.live.blocksAbove(101) ?? [];
    await node.compact(3);
    await expect(node.history.payload(gone as CommittedBlock)).rejects.toThrow(
      `block 102 (${hashOf(102)}) is no longer in the retained history`,
    );
  });

  it('does not return another block that now has the log index', async () => {
    const node = nodeWith(1);
    const other = committed(refOf(101, 'b'), 1);
    await expect(node.history.payload(other)).rejects.toThrow('no longer in the retained history');
  });

  it('puts a replacement into the snapshot only from its own index on', async () => {
    const entries = [
      entryOf(1, refOf(101)),
      entryOf(2, refOf(102)),
      entryOf(3, refOf(102, 'b', hashOf(101)), hashOf(102)),
      entryOf(4, refOf(103, 'b')),
    ];
    const snapshots: string[] = [];
    for (const at of [2, 3]) {
      const node = new Node();
      entries.forEach((entry) => node.apply(entry));
      node.restore(at, await node.compact(at));
      snapshots.push(node.head?.hash ?? '');
    }
    expect(snapshots).toEqual([hashOf(102), hashOf(102, 'b')]);
  });

  describe('a reset', () => {
    it('tells the new head, and keeps its payload when the log has it', async () => {
      const node = nodeWith(6);
      const verdict = node.apply(resetEntryOf(7, refOf(106), refOf(104)));
      const told = { number: 104, hash: hashOf(104), logIndex: 7 };
      expect(verdict).toMatchObject({ type: 'reset', depth: 2, reset: { who: 'a test' } });
      expect(node.told.at(-1)).toEqual([told, verdict]);
      expect(node.head).toEqual(refOf(104));
      await expectPayloadOfHead(node);
      expect(payloadIn(await node.compact(7)).equals(payloadOf(refOf(104)).ssz)).toBe(true);
      await expectPayloadOfHead(node);
    });

    it('to below the history makes a head without payload, also in the snapshot', async () => {
      const node = nodeWith(6);
      await node.compact(4);
      node.apply(resetEntryOf(7, refOf(106), refOf(50)));
      const data = await node.compact(7);
      const restored = new Node();
      restored.restore(7, data);
      for (const each of [node, restored]) {
        expect(each.headId).toEqual({ number: 50, hash: hashOf(50) });
        expect(each.head).toBeUndefined();
        expect(each.machine.live.blocksAbove(49)).toBeUndefined();
        expect(each.machine.live.blocksAbove(50)).toEqual([]);
        expect(Buffer.from(await each.compact(9)).equals(data)).toBe(true);
      }
    });

    it('continues with blocks on top of that head', async () => {
      const node = nodeWith(3);
      node.apply(resetEntryOf(4, refOf(103), refOf(50)));
      const restored = new Node();
      restored.restore(4, await node.compact(4));
      for (const each of [node, restored]) {
        expect(each.apply(entryOf(5, refOf(51, 'b'))).type).toBe('refused');
        expect(each.apply(entryOf(6, refOf(51)))).toEqual({ type: 'append' });
        expect(each.machine.live.blocksAbove(50)?.map(({ number }) => number)).toEqual([51]);
        await expectPayloadOfHead(each);
        expect(payloadIn(await each.compact(6)).equals(payloadOf(refOf(51)).ssz)).toBe(true);
      }
    });

    it('to the block of the snapshot keeps its payload in the next one', async () => {
      const node = nodeWith(6);
      await node.compact(4);
      node.apply(resetEntryOf(7, refOf(106), refOf(104)));
      expect(node.headId).toEqual({ number: 104, hash: hashOf(104) });
      expect(payloadIn(await node.compact(7)).equals(payloadOf(refOf(104)).ssz)).toBe(true);
    });

    it('is in the snapshot only from its own index on', async () => {
      const node = nodeWith(3);
      node.apply(resetEntryOf(4, refOf(103), refOf(101)));
      expect(payloadIn(await node.compact(3)).equals(payloadOf(refOf(103)).ssz)).toBe(true);
      expect(node.headId).toEqual({ number: 101, hash: hashOf(101) });
      expect(decodeCommand(await node.compact(4))).toEqual({ reset: resetOf(refOf(103), refOf(101)) });
    });

    it('leaves the head without payload when the log loses it to a snapshot from before the reset', async () => {
      const node = nodeWith(3);
      node.apply(resetEntryOf(4, refOf(103), refOf(101)));
      expect(node.head).toEqual(refOf(101));
      await node.compact(2);
      expect([node.head, node.headId]).toEqual([undefined, { number: 101, hash: hashOf(101) }]);
    });

    it('keeps the payload of the head while it is in the snapshot', async () => {
      const node = nodeWith(3);
      node.apply(resetEntryOf(4, refOf(103), refOf(101)));
      await node.compact(1);
      expect(node.head).toEqual(refOf(101));
      await expectPayloadOfHead(node);
    });

    it('has no effect when the head has changed by then', () => {
      const node = nodeWith(3);
      expect(node.apply(resetEntryOf(4, refOf(102), refOf(101))).type).toBe('refused');
      expect(node.head).toEqual(refOf(103));
    });
  });

  describe('while a snapshot is being made', () => {
    /** A compaction that waits for the disk. */
    function startCompaction(node: Node, index: number): { finish: () => Promise<Uint8Array> } {
      let go = (): void => undefined;
      const gate = new Promise<void>((resolve) => (go = resolve));
      const result = node.machine.snapshotAt(index, async (at) => {
        const entry = await node.read(at);
        await gate;
        return entry;
      });
      return { finish: () => (go(), result) };
    }

    it('commands are applied and come after it', async () => {
      const node = nodeWith(4);
      const compaction = startCompaction(node, 3);
      node.apply(entryOf(5, refOf(105)));
      const data = await compaction.finish();
      expect(payloadIn(data).equals(payloadOf(refOf(103)).ssz)).toBe(true);
      expect(node.head).toEqual(refOf(105));
      expect(payloadIn(await node.compact(5)).equals(payloadOf(refOf(105)).ssz)).toBe(true);
    });

    it('payloads still belong to their blocks', async () => {
      const node = nodeWith(6);
      await node.compact(2);
      const [head] = node.machine.live.blocksAbove(103) ?? [];
      const compaction = startCompaction(node, 4);
      const payload = await node.history.payload(head as CommittedBlock);
      expect(payload.equals(payloadOf(refOf(104)).ssz)).toBe(true);
      await compaction.finish();
    });

    it('a state that is installed meanwhile is not changed', async () => {
      const node = nodeWith(6);
      const other = nodeWith(20);
      const data = await other.compact(20);
      const compaction = startCompaction(node, 4);
      node.restore(20, data);
      await compaction.finish();

      expect(node.head).toEqual(refOf(120));
      const head = node.machine.live.head as CommittedBlock;
      expect((await node.history.payload(head)).equals(payloadOf(refOf(120)).ssz)).toBe(true);
      expect(payloadIn(await node.compact(21)).equals(payloadOf(refOf(120)).ssz)).toBe(true);
    });
  });
});

/** What the next entry holds: a block on top of an earlier block, or an earlier block again. */
const entryArb = fc.record({
  kind: fc.constantFrom('next', 'next', 'next', 'again', 'gap'),
  onHead: fc.boolean(),
  pick: fc.nat(),
  branch: fc.constantFrom('a', 'b'),
  replaces: fc.constantFrom('nothing', 'nothing', 'head', 'other'),
  resets: fc.constantFrom(undefined, undefined, undefined, 'head', 'other'),
});
type EntrySpec = typeof entryArb extends fc.Arbitrary<infer T> ? T : never;

/** The log of these entries, and the verdict of a node that never compacts on each. */
function logOf(specs: readonly EntrySpec[]): { plain: Node; entries: LoadedEntry[]; verdicts: Verdict[] } {
  const plain = new Node();
  const made: BlockRef[] = [refOf(100)];
  const entries: LoadedEntry[] = [];
  const verdicts = specs.map(({ kind, onHead, pick, branch, replaces, resets }, at) => {
    const { headId: head } = plain;
    const earlier = made[pick % made.length] as BlockRef;
    const below = onHead && head ? head : earlier;
    // The hash depends on the parent, so that equal hashes mean equal blocks.
    const next = refOf(below.number + 1, `${branch} on ${below.hash}`, below.hash);
    const block = { next, again: earlier, gap: refOf(below.number + 3, branch) }[kind];
    const replacesHead = { nothing: undefined, head: head?.hash, other: hashOf(99) }[replaces];
    if (resets === undefined) made.push(block);
    const from = resets === 'head' && head ? head : refOf(99);
    entries.push(
      resets === undefined ? entryOf(at + 1, block, replacesHead) : resetEntryOf(at + 1, from, earlier),
    );
    return plain.apply(entries[at] as LoadedEntry);
  });
  return { plain, entries, verdicts };
}

async function expectPayloadOfHead(node: Node): Promise<void> {
  const head = node.machine.live.head;
  if (!head || !hasPayload(head)) return;
  expect((await node.history.payload(head)).equals(payloadOf(refOnly(head)).ssz)).toBe(true);
}

describe('ChainStateMachine, for any log', () => {
  it('a node restored from any snapshot arrives where the others are, with the same verdicts', async () => {
    const cutsArb = fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(entryArb, { minLength: 1, maxLength: 25 }), cutsArb, async (specs, cuts) => {
        const { plain, entries, verdicts } = logOf(specs);
        const compacting = new Node();
        entries.forEach((entry) => compacting.apply(entry));
        for (const index of [...new Set(cuts)].sort((x, y) => x - y)) {
          const restored = new Node();
          restored.restore(index, await compacting.compact(index));
          entries.slice(index).forEach((entry, at) => {
            expect(restored.apply(entry).type).toBe(verdicts[index + at]?.type);
          });
          for (const node of [restored, compacting]) {
            expect(node.headId).toEqual(plain.headId);
            await expectPayloadOfHead(node);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
