import path from 'node:path';
import { ChainHistory } from '../../conductor/chain/chain-history.js';
import { ChainStateMachine } from '../../conductor/chain/chain-state-machine.js';
import type { Verdict } from '../../conductor/chain/chain-state.js';
import { LevelStorage } from '../../raft/index.js';
import type { BlockRef } from '../../rpc/payload/block-ref.js';

/** A committed block as a node keeps it. */
export interface StoredBlock extends BlockRef {
  ssz: Buffer;
}

export interface StoredChain {
  /** The committed chain, oldest first; heights may be missing. */
  blocks: StoredBlock[];
  /** The outcome of each entry of the log, in order. */
  verdicts: Verdict['type'][];
}

/** Reads the chain that a stopped node has on its disk, by running the state machine over its whole log. */
export async function readStoredChain(storageDir: string, id: string): Promise<StoredChain> {
  const storage = new LevelStorage({ directory: path.join(storageDir, id, 'baton') });
  const { state } = await storage.open(id);
  try {
    const verdicts: Verdict['type'][] = [];
    const machine = new ChainStateMachine((_block, verdict) => verdicts.push(verdict.type));
    const snapshot = await storage.readSnapshot();
    if (snapshot) machine.restore(snapshot);
    for (const header of state.headers) {
      if (header.kind !== 'command') continue;
      const [entry] = await storage.readEntries(header.index, header.index, 0);
      if (entry) machine.apply(entry);
    }
    const history = new ChainHistory(machine, (from, to, max) => storage.readEntries(from, to, max));
    const blocks: StoredBlock[] = [];
    const { live } = machine;
    for (let at = live.oldest?.number ?? 0; at <= (live.head?.number ?? -1); at++) {
      const block = live.blockAt(at);
      if (!block) continue;
      const { number, hash, parentHash, timestamp } = block;
      blocks.push({ number, hash, parentHash, timestamp, ssz: await history.payload(block) });
    }
    return { blocks, verdicts };
  } finally {
    await storage.close();
  }
}
