import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';

/** After so many election timeouts without a leader, its published ranks are out of date. */
const LIST_IS_OLD_AFTER = 3;

/**
 * Position in the queue of candidates: followers of different rank wake up one slot apart, so that votes rarely
 * split. The leader of the term has published the ranks. Without them, or when they are old, ids give
 * the order. An unfit node queues behind all others, which only delays it.
 */
export function rank(ctx: CoreContext): number {
  const { publishedRank } = ctx;
  const listIsOld = ctx.now - ctx.lastLeaderContactMs > LIST_IS_OLD_AFTER * ctx.timing.electionTimeoutMs;
  const isListed = publishedRank?.term === ctx.term && !listIsOld;
  if (isListed && ctx.eligibility > 0) return publishedRank.rank;
  const others = ctx.allVoters.filter((id) => id !== ctx.lastLeader || id === ctx.id).sort();
  const position = isListed ? publishedRank.rank : orderOfIds(ctx, others);
  return ctx.eligibility > 0 ? position : position + others.length;
}

const isResting = (ctx: CoreContext): boolean => ctx.now < ctx.restsUntilMs;

/** The eligibility that this node tells its leader: half of the application's value while the node rests. */
export const eligibilityNow = (ctx: CoreContext): number =>
  isResting(ctx) ? Math.floor(ctx.eligibility / 2) : ctx.eligibility;

/** Without the lost leader, and rotated by term so that a node that always fails is not always first. */
function orderOfIds(ctx: CoreContext, others: readonly NodeId[]): number {
  const position = others.indexOf(ctx.id);
  if (position < 0) return others.length;
  return (position + others.length - (ctx.term % others.length)) % others.length;
}

/** After this node led without progress, the others have so many election timeouts to elect one of themselves. */
const RESTS_FOR = 2;

/** How long this node waits for those before it in the queue. */
export const stagger = (ctx: CoreContext): number =>
  rank(ctx) * ctx.timing.rankSlotMs +
  ctx.random * ctx.timing.jitterMs +
  (isResting(ctx) ? RESTS_FOR * ctx.timing.electionTimeoutMs : 0);

/** How long this follower tolerates silence from now on. */
export function restartElectionTimer(ctx: CoreContext): void {
  const promisedMs = ctx.leader === null ? -Infinity : ctx.loyalUntilMs;
  ctx.electionDeadlineMs = Math.max(promisedMs, ctx.now + ctx.timing.electionTimeoutMs) + stagger(ctx);
}

/** When a campaign without a majority is repeated: a new random draw each time, plus the same stagger. */
export function scheduleRetry(ctx: CoreContext, afterMs: number): void {
  ctx.electionDeadlineMs = ctx.now + afterMs + stagger(ctx);
}

/** The patience with votes and first answers doubles at most this often. */
const PATIENCE_DOUBLINGS_MAX = 5;

/**
 * How long votes may take. They wait for the voters' disks. When those are slower than the timers, each failed election
 * waits longer, or none would ever succeed. Answers to the new leader's heartbeats need no patience: a node that
 * voted for it already has its term on disk.
 */
export function patienceMs(ctx: CoreContext): number {
  const doublings = Math.min(Math.max(0, ctx.fruitlessElections - 1), PATIENCE_DOUBLINGS_MAX);
  return ctx.timing.electionTimeoutMs * 2 ** doublings;
}

/** How long this node stays loyal to its leader; 0 when it is free. */
export function loyaltyMs(ctx: CoreContext): number {
  if (ctx.role === 'leader') return ctx.timing.electionTimeoutMs;
  if (ctx.leader === null || ctx.leaderGone) return 0;
  return Math.max(0, ctx.loyalUntilMs - ctx.now);
}

/**
 * It has sent no requests since it became a follower, so any response belongs to an earlier candidacy or leadership and
 * must not make it leave a leader whose lease depends on it. Once it is free it asks again.
 */
export const isLoyalFollower = (ctx: CoreContext): boolean => ctx.role === 'follower' && loyaltyMs(ctx) > 0;

export function heardFromLeader(ctx: CoreContext): void {
  ctx.lastLeaderContactMs = ctx.now;
  // A heartbeat from before a change to a longer timing may arrive after one that the leader's lease rests on.
  ctx.loyalUntilMs = Math.max(ctx.loyalUntilMs, ctx.now + ctx.loyaltyWindowMs);
  ctx.leaderGone = false;
  restartElectionTimer(ctx);
}
