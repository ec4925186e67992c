import type { Leadership } from '../../rpc/server/history.js';

/** Why a leader gives leadership away, in its own account. */
export interface HandOverCause {
  type: Extract<Leadership['cause']['type'], 'unhealthy' | 'transfer' | 'hand-back' | 'shutdown'>;
  /** In words; empty if the type says everything. */
  reason: string;
}

/** How the former leader was lost, as far as the current leader can tell. */
export type Loss = 'process-gone' | 'no-contact' | 'no-quorum' | 'handed-over' | 'start';

/** What a leader knows about how it came to lead. Times are on its monotonic clock, in ms. */
export interface ChangeFacts {
  from: string | null;
  to: string;
  term: number;
  loss: Loss;
  /** The former leader's account before it gave leadership away; undefined if there is none about this change. */
  said: HandOverCause | undefined;
  lostAtMs: number;
  /** Undefined: no sequencer was started. */
  sequencerStartedAtMs: number | undefined;
  /** When the last block of the former leader arrived; undefined without one. */
  lastBlockAtMs: number | undefined;
  firstBlock: { number: number; hash: string; atMs: number } | undefined;
  /** Undefined if it cannot be derived from the chain. */
  blockTimeMs: number | undefined;
}

/** Combines the facts. */
export function leadershipChange(facts: ChangeFacts): Leadership {
  const { from, to, term, lostAtMs, sequencerStartedAtMs, firstBlock } = facts;
  const betweenBlocksMs = betweenBlocks(facts);
  return {
    ...{ from, to, term },
    cause: causeOf(facts),
    withoutSequencerMs: sequencerStartedAtMs === undefined ? null : span(lostAtMs, sequencerStartedAtMs),
    betweenBlocksMs,
    slotsMissed: slotsMissed(betweenBlocksMs, facts.blockTimeMs),
    firstBlock: firstBlock ? { number: firstBlock.number, hash: firstBlock.hash } : null,
  };
}

/** If a leader announced a transfer but died first, its death is the cause. */
function causeOf({ loss, said }: ChangeFacts): Leadership['cause'] {
  if (loss !== 'handed-over') return { type: loss, reason: '' };
  return said ?? { type: 'not-said', reason: '' };
}

function betweenBlocks({ lastBlockAtMs, firstBlock }: ChangeFacts): number | null {
  if (lastBlockAtMs === undefined || !firstBlock) return null;
  return span(lastBlockAtMs, firstBlock.atMs);
}

/** Half a block time of delay does not miss a slot: the next block is on time. */
function slotsMissed(betweenBlocksMs: number | null, blockTimeMs: number | undefined): number | null {
  if (betweenBlocksMs === null || blockTimeMs === undefined || blockTimeMs <= 0) return null;
  return Math.max(0, Math.round(betweenBlocksMs / blockTimeMs) - 1);
}

function span(fromMs: number, toMs: number): number {
  return Math.max(0, Math.round(toMs - fromMs));
}
