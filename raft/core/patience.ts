import type { CoreContext } from './context.js';

/** At first, a leader's progress or write may take so many election timeouts: slow disks are not a reason to leave. */
const PATIENCE_IN_TIMEOUTS = 4;
/** It doubles at most this often. */
const DOUBLINGS_MAX = 5;
/** A node that left is less eligible for so many times its patience. */
const REST_IN_PATIENCES = 4;
/** After so many commits in a row, each within the initial patience, the patience is reset. */
const PROOF_IN_COMMITS = 32;

const firstPatienceMs = (ctx: CoreContext): number => PATIENCE_IN_TIMEOUTS * ctx.timing.electionTimeoutMs;

/**
 * How long a leader goes on leading without progress. It doubles with each leadership that the node gives up: if every
 * majority has slow disks, leadership must not move faster than they write.
 */
export const leaderPatienceMs = (ctx: CoreContext): number =>
  firstPatienceMs(ctx) * 2 ** Math.min(ctx.fruitlessLeaderships, DOUBLINGS_MAX);

/** The leader leaves. For a while others go before it. */
export function noteFruitlessLeadership(ctx: CoreContext): void {
  ctx.restsUntilMs = ctx.now + REST_IN_PATIENCES * leaderPatienceMs(ctx);
  ctx.fruitlessLeaderships += 1;
  ctx.promptCommits = 0;
}

/** @param tookMs since the entry, or the commit before it, last made progress */
export function noteCommitTime(ctx: CoreContext, tookMs: number): void {
  ctx.promptCommits = tookMs < firstPatienceMs(ctx) ? ctx.promptCommits + 1 : 0;
  if (ctx.promptCommits >= PROOF_IN_COMMITS) ctx.fruitlessLeaderships = 0;
}
