import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import { loyaltyMs, restartElectionTimer } from './election-timer.js';
import type { PreVoteRequest, VoteRequest } from './messages.js';
import { becomeFollower } from './step-down.js';

/** Says whether this node would vote for the candidate. The answer binds it to nothing (Raft thesis §9.6). */
export function onPreVote(ctx: CoreContext, from: NodeId, message: PreVoteRequest): void {
  const remainingMs = loyaltyMs(ctx);
  const free = message.term > ctx.term || (message.term === ctx.term && ctx.votedFor === null);
  const granted =
    free && remainingMs === 0 && !ctx.reverted && ctx.log.isNoNewerThan(message.lastTerm, message.lastIndex);
  if (granted) makeWay(ctx, from);
  ctx.send(
    from,
    { type: 'preVoteResponse', term: ctx.term, requestId: message.requestId, granted, remainingMs },
    'term',
  );
}

/**
 * Two candidates at a time split the votes. A node that would vote for another lets it try, but for less than the pause
 * between two attempts, so that a node that asks again and again without being elected delays nobody. If two nodes ask
 * each other, the one with the smaller id goes first.
 */
function makeWay(ctx: CoreContext, candidate: NodeId): void {
  if (ctx.campaign?.prevote) {
    if (ctx.id < candidate) return;
    // cover: one of two candidates makes way
    // candidate.test.ts "do not both continue: the one with the greater id waits …"
    ctx.campaign = null;
  }
  ctx.electionDeadlineMs = Math.max(
    ctx.electionDeadlineMs,
    ctx.now + ctx.timing.rankSlotMs + ctx.random * ctx.timing.jitterMs,
  );
}

/** Votes at most once in a term, and never against a leader that this node is loyal to. */
export function onVote(ctx: CoreContext, from: NodeId, message: VoteRequest): void {
  // A transfer that is over releases nobody: the leader may have a lease again, which rests on this voter's promise.
  const isReleased = message.transferNumber > ctx.transfersEnded(message.term - 1);
  const remainingMs = isReleased ? 0 : loyaltyMs(ctx);
  // A loyal voter does not even learn the term: a returning node must not depose a good leader.
  if (message.term > ctx.term && remainingMs === 0) {
    // cover: a voter learns the term of a candidate
    // voting.test.ts "of a refused candidate still brings its term"
    becomeFollower(ctx, message.term, null, `${from} stands for election`);
  }
  const granted =
    message.term === ctx.term &&
    remainingMs === 0 &&
    ctx.role === 'follower' &&
    ctx.leader === null &&
    !ctx.reverted &&
    (ctx.votedFor === null || ctx.votedFor === from) &&
    ctx.log.isNoNewerThan(message.lastTerm, message.lastIndex);
  if (granted) {
    // cover: a vote is granted
    // voting.test.ts "is given once in a term, to the same candidate as often as it asks"
    if (ctx.votedFor !== from) ctx.setTerm(ctx.term, from);
    ctx.campaign = null;
    restartElectionTimer(ctx);
  }
  ctx.send(
    from,
    { type: 'voteResponse', term: ctx.term, requestId: message.requestId, granted, remainingMs },
    'term',
  );
}
