import type { LoadedEntry } from '../../raft/index.js';
import type { ChainStateMachine } from './chain-state-machine.js';
import type { CommittedBlock, CommittedHead } from './chain-state.js';
import { decodeCommand } from './log-command.js';

type ReadEntries = (from: number, to: number, maxBytes: number) => Promise<LoadedEntry[]>;

/** Read access to committed blocks and their payloads. */
export class ChainHistory {
  constructor(
    private readonly machine: ChainStateMachine,
    private readonly readEntries: ReadEntries,
  ) {}

  get head(): CommittedHead | undefined {
    return this.machine.live.head;
  }

  hashAt(number: number): string | undefined {
    return this.machine.live.hashAt(number);
  }

  /** The blocks above `number` up to the head; undefined when the retained history does not reach that far. */
  blocksAbove(number: number): readonly CommittedBlock[] | undefined {
    return this.machine.live.blocksAbove(number);
  }

  /** @throws Error when the block has left the history meanwhile */
  async payload(block: CommittedBlock): Promise<Buffer> {
    const atBase = this.machine.baseHeadPayload(block);
    if (atBase) return atBase;
    const [entry] = await this.readEntries(block.logIndex, block.logIndex, 0);
    const payload = entry && decodeCommand(entry.data).payload;
    if (payload?.ref.hash !== block.hash) {
      throw new Error(`block ${block.number} (${block.hash}) is no longer in the retained history`);
    }
    return payload.ssz;
  }
}
