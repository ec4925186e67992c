import { setTimeout as sleep } from 'node:timers/promises';
import type { Acknowledgement } from '../commit-witness.js';
import { longestGap } from '../../cluster/longest-gap.js';
import { inSeconds, type Stage } from '../stage.js';

const LASTS_MS = 30_000;
const STEP_MS = 500;
/**
 * The head of a leader that commits nothing counts as old after 5 s; what remains is for the hand-over, on a busy machine.
 */
const GAP_MAX_MS = 20_000;
/** With more transfers, leadership is not stable. */
const MOVES_MAX = 4;

/** A gray fault for a while. */
export interface Fault {
  begin: () => void;
  /** An action that repeats during the fault, first at its beginning. */
  meanwhile?: { everyMs: number; act: () => unknown };
  end: () => unknown;
}

/**
 * Inflicts a fault on the network for half a minute.
 *
 * @returns the blocks that were acknowledged meanwhile
 * @throws Error if there was none for too long, or if leadership moved too often
 */
export async function suffer({ network, say }: Stage, fault: Fault): Promise<readonly Acknowledgement[]> {
  const before = network.witness.acknowledged.length;
  const fromMs = performance.now();
  let toMs = fromMs;
  try {
    fault.begin();
    let nextMs = fromMs;
    for (; toMs - fromMs < LASTS_MS; toMs = performance.now()) {
      network.programs.assertAlive();
      if (fault.meanwhile && toMs >= nextMs) {
        nextMs += fault.meanwhile.everyMs;
        await fault.meanwhile.act();
      }
      await sleep(STEP_MS);
    }
  } finally {
    await fault.end();
  }
  const blocks = network.witness.acknowledged.slice(before).filter(({ atMs }) => atMs < toMs);
  const gap = longestGap(
    blocks.map(({ atMs }) => atMs),
    fromMs,
    toMs,
  );
  const turns = sequencersOf(blocks);
  say(
    `${blocks.length} blocks in ${inSeconds(toMs - fromMs)}, from ${turns.join(', then ') || 'nobody'}; ` +
      `longest time without one ${inSeconds(gap.ms)}`,
  );
  if (gap.ms > GAP_MAX_MS) throw new Error(`there was no block for more than ${inSeconds(GAP_MAX_MS)}`);
  if (turns.length - 1 > MOVES_MAX) throw new Error(`leadership moved more than ${MOVES_MAX} times`);
  return blocks;
}

/** Names of the nodes whose blocks were acknowledged, one for each turn. */
export function sequencersOf(blocks: readonly Acknowledgement[]): string[] {
  return blocks.map(({ node }) => node).filter((node, index, all) => node !== all[index - 1]);
}
