import type { CoreContext } from './context.js';

/** Election timeouts that a leader's work or write may take, at first: slow disks are no reason to leave. */
const PATIENCE_IN_TIMEOUTS = 4;
/** Doublings of that, at most. */
const DOUBLINGS_MAX = 5;
/** For so many of its patiences a node that left is less eligible. */
const REST_IN_PATIENCES = 4;
/** Commits in a row, each within the first patience, that prove a longer one needless. */
const PROOF_IN_COMMITS = 32;

const firstPatienceMs = (ctx: CoreContext): number => PATIENCE_IN_TIMEOUTS * ctx.timing.electionTimeoutMs;

/**
 * How long a leader leads on although it is of no use. Each leadership that it gives up doubles it: where every
 * majority has slow disks, leadership must not go round faster than they write.
 */
export const leaderPatienceMs = (ctx: CoreContext): number =>
  firstPatienceMs(ctx) * 2 ** Math.min(ctx.fruitlessLeaderships, DOUBLINGS_MAX);

/** The leader leaves; for a while others come before it. */
export function noteFruitlessLeadership(ctx: CoreContext): void {
  ctx.restsUntilMs = ctx.now + REST_IN_PATIENCES * leaderPatienceMs(ctx);
  ctx.fruitlessLeaderships += 1;
  ctx.promptCommits = 0;
}

/** @param tookMs since the entry, or what was committed before it, got any further */
export function noteCommitTime(ctx: CoreContext, tookMs: number): void {
  ctx.promptCommits = tookMs < firstPatienceMs(ctx) ? ctx.promptCommits + 1 : 0;
  if (ctx.promptCommits >= PROOF_IN_COMMITS) ctx.fruitlessLeaderships = 0;
}
