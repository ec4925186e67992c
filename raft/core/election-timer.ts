import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';

/** Election timeouts without a leader after which its list says little about who is there. */
const LIST_IS_OLD_AFTER = 3;

/**
 * Position in the queue of candidates: followers of different rank wake up one slot apart, so that votes rarely
 * split. The leader of the term has published it; without such a list, or when the list is old, it is
 * the order of ids. An unfit node queues behind all others: that delays it, no more.
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

/** What this node tells its leader: half of what its application says while it rests. */
export const eligibilityNow = (ctx: CoreContext): number =>
  isResting(ctx) ? Math.floor(ctx.eligibility / 2) : ctx.eligibility;

/** Without the lost leader, and turned by the term so that a node that always fails does not always come first. */
function orderOfIds(ctx: CoreContext, others: readonly NodeId[]): number {
  const position = others.indexOf(ctx.id);
  if (position < 0) return others.length;
  return (position + others.length - (ctx.term % others.length)) % others.length;
}

/** Election timeouts that the others have to elect one of themselves, after this node led and was of no use. */
const RESTS_FOR = 2;

/** How long this node lets those before it in the queue try. */
export const stagger = (ctx: CoreContext): number =>
  rank(ctx) * ctx.timing.rankSlotMs +
  ctx.random * ctx.timing.jitterMs +
  (isResting(ctx) ? RESTS_FOR * ctx.timing.electionTimeoutMs : 0);

/** Silence that this follower bears from now on. */
export function restartElectionTimer(ctx: CoreContext): void {
  const promisedMs = ctx.leader === null ? -Infinity : ctx.loyalUntilMs;
  ctx.electionDeadlineMs = Math.max(promisedMs, ctx.now + ctx.timing.electionTimeoutMs) + stagger(ctx);
}

/** When a campaign that found no majority is repeated: a fresh draw each time, the stagger kept. */
export function scheduleRetry(ctx: CoreContext, afterMs: number): void {
  ctx.electionDeadlineMs = ctx.now + afterMs + stagger(ctx);
}

/** Doublings of the patience with votes and first answers, at most. */
const PATIENCE_DOUBLINGS_MAX = 5;

/**
 * How long votes may take. They wait for the voters' disks; when those are slower than the timers, each fruitless
 * election waits longer, or none would ever succeed. The answers to the new leader's heartbeats need no
 * such patience: a node that voted for it already has its term on disk.
 */
export function patienceMs(ctx: CoreContext): number {
  const doublings = Math.min(Math.max(0, ctx.fruitlessElections - 1), PATIENCE_DOUBLINGS_MAX);
  return ctx.timing.electionTimeoutMs * 2 ** doublings;
}

/** How long this node stays loyal to a leader it has heard of; 0 when it is free. */
export function loyaltyMs(ctx: CoreContext): number {
  if (ctx.role === 'leader') return ctx.timing.electionTimeoutMs;
  if (ctx.leader === null || ctx.leaderGone) return 0;
  return Math.max(0, ctx.loyalUntilMs - ctx.now);
}

/**
 * It has sent no requests since it became a follower, so any response belongs to an earlier candidacy or leadership and
 * must not turn it away from a leader whose lease depends on it. Once it is free it asks again.
 */
export const isLoyalFollower = (ctx: CoreContext): boolean => ctx.role === 'follower' && loyaltyMs(ctx) > 0;

export function heardFromLeader(ctx: CoreContext): void {
  ctx.lastLeaderContactMs = ctx.now;
  // A heartbeat from before a change to longer times may come after one that the leader's lease counts on.
  ctx.loyalUntilMs = Math.max(ctx.loyalUntilMs, ctx.now + ctx.loyaltyWindowMs);
  ctx.leaderGone = false;
  restartElectionTimer(ctx);
}
