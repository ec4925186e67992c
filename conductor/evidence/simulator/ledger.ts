import type { CoreStatus, LoadedEntry } from '../../../raft/index.js';
import { readRef, type BlockRef } from '../../../rpc/payload/block-ref.js';
import type { CommandVerdict } from '../../chain/chain-state-machine.js';
import type { CommittedHead } from '../../chain/chain-state.js';
import type { Block } from './chain/block-store.js';

/** Types of log commands (docs/FORMATS.md). */
const TYPE_APPEND = 1;
const TYPE_REPLACE = 2;
const TYPE_RESET = 3;
const PREFIX_BYTES = { [TYPE_APPEND]: 2, [TYPE_REPLACE]: 34 } as const;

/** What an entry of the log did, on the first node that applied it. */
export interface Applied {
  index: number;
  term: number;
  /** Undefined for a command without a block. */
  block: BlockRef | undefined;
  verdict: CommandVerdict['type'];
  /** Of a record: everything that the node then has of records. */
  records: string | undefined;
  head: { number: number; hash: string } | undefined;
}

/** A block that a sequencer was allowed to publish, and did publish. */
export interface Acknowledged {
  block: Block;
  nodeId: string;
  atMs: number;
  /** Index of the entry that committed it; 0 for the chain from before this log. */
  logIndex: number;
}

/** The record, which no node sees, of everything that was committed and published. */
export class Ledger {
  private readonly entries = new Map<number, Applied>();
  private readonly byHash = new Map<string, Applied[]>();
  private readonly leaders = new Map<number, string>();
  readonly resets: { index: number; to: number }[] = [];
  readonly acknowledged: Acknowledged[] = [];
  private last: Applied | undefined;

  /** The newest entry that any node has applied. */
  get lastApplied(): Applied | undefined {
    return this.last;
  }

  /** The highest acknowledged block that no reset took back. */
  get highest(): Acknowledged | undefined {
    let highest: Acknowledged | undefined;
    for (const one of this.standing) if (one.block.number > (highest?.block.number ?? -1)) highest = one;
    return highest;
  }

  /** Acknowledged blocks that no reset took back. */
  get standing(): Acknowledged[] {
    return this.acknowledged.filter((one) => !this.wasReset(one));
  }

  wasReset({ logIndex, block }: Acknowledged): boolean {
    return this.resets.some(({ index, to }) => index > logIndex && block.number > to);
  }

  leads(nodeId: string, role: CoreStatus['role'], term: number): void {
    if (role === 'leader') this.leaders.set(term, nodeId);
  }

  leaderOf(term: number): string | undefined {
    return this.leaders.get(term);
  }

  /** Entries that brought this block, in the order of the log. */
  entriesOf(hash: string): readonly Applied[] {
    return this.byHash.get(hash) ?? [];
  }

  /** The result of this entry on the first node that applied it; undefined if this is the first. */
  before(index: number): Applied | undefined {
    return this.entries.get(index);
  }

  applied(
    entry: LoadedEntry,
    verdict: CommandVerdict,
    head: CommittedHead | undefined,
    records?: string,
  ): Applied {
    const { index, term } = entry;
    const block = blockIn(entry.data);
    const applied: Applied = {
      index,
      term,
      block,
      verdict: entry.data[0] === TYPE_RESET ? 'reset' : verdict.type,
      records,
      head: head && { number: head.number, hash: head.hash },
    };
    if (this.entries.has(index)) return applied;
    this.entries.set(index, applied);
    if (index > (this.last?.index ?? 0)) this.last = applied;
    if (block) this.byHash.set(block.hash, [...this.entriesOf(block.hash), applied]);
    else if (applied.head && applied.verdict === 'reset')
      this.resets.push({ index, to: applied.head.number });
    return applied;
  }

  published(block: Block, nodeId: string, atMs: number): Acknowledged {
    const entry = this.entriesOf(block.hash).find(({ verdict }) => verdict !== 'refused');
    const acknowledged = { block, nodeId, atMs, logIndex: entry?.index ?? 0 };
    this.acknowledged.push(acknowledged);
    return acknowledged;
  }
}

function blockIn(data: Uint8Array): BlockRef | undefined {
  const type = data[0];
  if (type !== TYPE_APPEND && type !== TYPE_REPLACE) return undefined;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return readRef(bytes.subarray(PREFIX_BYTES[type]));
}
