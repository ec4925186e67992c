import type { NodeId } from './configuration.js';
import type { Campaign, CoreContext } from './context.js';
import { isLoyalFollower, patienceMs, scheduleRetry } from './election-timer.js';
import { becomeLeader } from './leader.js';
import type { PreVoteResponse, TimeoutNowRequest, VoteResponse } from './messages.js';
import type { ElectionCause } from './outputs.js';
import { hasQuorum, isLost } from './quorum.js';
import { becomeFollower } from './step-down.js';

/** A transfer needs no pre-vote. */
type PreVoteCause = Exclude<ElectionCause, 'transfer'>;

const REASONS: Record<PreVoteCause, string> = {
  timeout: 'no word from the leader',
  'leader-gone': 'the leader process is gone',
  retry: 'no majority in time',
};

/** Asks whether an election could be won, without disturbing anyone (Raft thesis §9.6). */
export function startPreVote(ctx: CoreContext, cause: PreVoteCause): void {
  if (!ctx.mayStand) {
    // cover: a node that is not a voter does not stand
    // election-timer.test.ts "never stands as a non-voter"
    ctx.electionDeadlineMs = Infinity;
    return;
  }
  const changed = ctx.role !== 'follower' || ctx.leader !== null;
  ctx.role = 'follower';
  ctx.leader = null;
  if (changed) ctx.roleChanged(REASONS[cause]);
  const asked = stillAwaited(ctx);
  ctx.campaign = { ...newCampaign(true, cause), asked };
  ctx.campaign.granted.add(ctx.id);
  ctx.event({ type: 'electionStarted', term: ctx.term + 1, cause, prevote: true });
  scheduleRetry(ctx, 3 * ctx.timing.rankSlotMs);
  for (const to of peersThatVote(ctx)) {
    const requestId = ctx.nextRequestId();
    asked.set(requestId, ctx.now);
    ctx.send(
      to,
      {
        type: 'preVote',
        term: ctx.term + 1,
        requestId,
        lastIndex: ctx.log.lastIndex,
        lastTerm: ctx.log.lastTerm,
      },
      'term',
    );
  }
  countPreVotes(ctx);
}

/**
 * Pre-vote requests whose answers still count: all of one candidacy, since an answer may take longer than the pause between
 * two attempts. None from before a leader or another term, and none that voters may have forgotten.
 */
function stillAwaited({ campaign, now, timing }: CoreContext): Map<number, number> {
  const asked = campaign?.prevote ? [...campaign.asked] : [];
  return new Map(asked.filter(([, askedAtMs]) => askedAtMs > now - timing.electionTimeoutMs));
}

function startElection(ctx: CoreContext, cause: ElectionCause, reason: string, transferNumber = 0): void {
  ctx.setTerm(ctx.term + 1, ctx.id);
  ctx.fruitlessElections += 1;
  ctx.role = 'candidate';
  ctx.leader = null;
  ctx.campaign = newCampaign(false, cause, transferNumber);
  ctx.roleChanged(reason);
  ctx.event({ type: 'electionStarted', term: ctx.term, cause, prevote: false });
  ctx.campaign.endsAtMs = ctx.now + patienceMs(ctx);
  askForVotes(ctx, ctx.campaign);
  // Its own vote counts once it is on disk, like any other.
  ctx.send(
    ctx.id,
    { type: 'voteResponse', term: ctx.term, requestId: 0, granted: true, remainingMs: 0 },
    'term',
  );
}

/** Also repeats the request: it or its answer may be lost, and a node that voted for this one answers the same again. */
function askForVotes(ctx: CoreContext, campaign: Campaign): void {
  scheduleRetry(ctx, ctx.timing.electionTimeoutMs);
  for (const to of peersThatVote(ctx)) {
    if (campaign.granted.has(to)) continue;
    ctx.send(
      to,
      {
        type: 'vote',
        term: ctx.term,
        requestId: ctx.nextRequestId(),
        lastIndex: ctx.log.lastIndex,
        lastTerm: ctx.log.lastTerm,
        transferNumber: campaign.transferNumber,
      },
      'term',
    );
  }
}

const newCampaign = (prevote: boolean, cause: ElectionCause, transferNumber = 0): Campaign => ({
  prevote,
  cause,
  transferNumber,
  granted: new Set<NodeId>(),
  refused: new Set<NodeId>(),
  remainingMs: 0,
  endsAtMs: -Infinity,
  asked: new Map<number, number>(),
});

const peersThatVote = (ctx: CoreContext): NodeId[] => ctx.allVoters.filter((id) => id !== ctx.id);

/** The deadline of a follower or candidate has passed. */
export function onElectionTimeout(ctx: CoreContext): void {
  if (ctx.role === 'candidate' && ctx.campaign && ctx.now < ctx.campaign.endsAtMs) {
    // cover: silent voters are asked again
    // candidate.test.ts "asks silent voters again …"
    askForVotes(ctx, ctx.campaign);
    return;
  }
  startPreVote(ctx, ctx.campaign ? 'retry' : ctx.leaderGone ? 'leader-gone' : 'timeout');
}

export function onPreVoteResponse(ctx: CoreContext, from: NodeId, message: PreVoteResponse): void {
  const campaign = ctx.campaign;
  if (message.term > ctx.term) {
    if (isLoyalFollower(ctx)) return;
    // cover: a refused pre-vote teaches a later term
    // candidate.test.ts "learns a later term from a refusal and asks again in it"
    // Without learning the term, two nodes may refuse each other forever.
    becomeFollower(ctx, message.term, null, `${from} knows a later term`);
    scheduleRetry(ctx, 0);
    return;
  }
  if (!campaign?.prevote || !campaign.asked.has(message.requestId)) return;
  if (tally(ctx, from, message)) countPreVotes(ctx);
}

export function onVoteResponse(ctx: CoreContext, from: NodeId, message: VoteResponse): void {
  const campaign = ctx.campaign;
  if (message.term !== ctx.term || !campaign || campaign.prevote || ctx.role !== 'candidate') return;
  if (!tally(ctx, from, message)) return;
  if (hasQuorum(ctx.voters, (id) => campaign.granted.has(id))) {
    becomeLeader(ctx, `elected by ${[...campaign.granted].sort().join(', ')}`);
  }
}

function countPreVotes(ctx: CoreContext): void {
  const campaign = ctx.campaign;
  if (campaign && hasQuorum(ctx.voters, (id) => campaign.granted.has(id))) {
    startElection(ctx, campaign.cause, 'a majority would vote for this node');
  }
}

/** Records one answer. False when it only moved the time of the next attempt. */
function tally(ctx: CoreContext, from: NodeId, answer: PreVoteResponse | VoteResponse): boolean {
  const campaign = ctx.campaign;
  if (!campaign) return false;
  if (answer.granted) {
    campaign.granted.add(from);
    return true;
  }
  campaign.refused.add(from);
  // Patience is for voters with slow disks. After a refusal the vote is split, and a new attempt helps more.
  campaign.endsAtMs = Math.min(campaign.endsAtMs, ctx.now + ctx.timing.electionTimeoutMs);
  campaign.remainingMs = Math.max(campaign.remainingMs, answer.remainingMs);
  // The lost leader will hardly vote, so this node does not wait for it.
  const lost = campaign.cause === 'transfer' ? null : ctx.lastLeader;
  if (isLost(ctx.voters, (id) => id === lost || campaign.refused.has(id))) {
    // cover: an election is lost
    // candidate.test.ts "does not wait when all have refused"
    campaign.endsAtMs = -Infinity;
    if (campaign.prevote && campaign.cause === 'leader-gone') {
      // cover: the loyal are asked again after a death
      // election-timer.test.ts "reaches the others within moments …"
      // They will have the proof within moments. If they get none, their loyalty counts from the second attempt on.
      ctx.electionDeadlineMs = ctx.now + ctx.timing.rankSlotMs / 3;
      return false;
    }
    // Refusals say how long; the stagger on top keeps candidates apart.
    scheduleRetry(ctx, Math.max(campaign.remainingMs, ctx.timing.rankSlotMs));
  }
  return false;
}

/** The leader asks this node to take over. Term, sender and log position must match exactly. */
export function onTimeoutNow(ctx: CoreContext, from: NodeId, message: TimeoutNowRequest): void {
  const accepted =
    message.term === ctx.term &&
    message.transferNumber > ctx.transfersEnded(message.term) &&
    ctx.now >= ctx.ignoreTakeoverUntilMs &&
    ctx.role === 'follower' &&
    ctx.leader === from &&
    ctx.isVoter(ctx.id) &&
    ctx.mayStand &&
    message.lastIndex === ctx.log.lastIndex &&
    message.lastTerm === ctx.log.lastTerm;
  ctx.send(
    from,
    { type: 'timeoutNowResponse', term: ctx.term, requestId: message.requestId, accepted },
    'term',
  );
  if (accepted) {
    // cover: a transfer is accepted
    // transfer.test.ts "stands at once, without pre-vote and with the right to disturb"
    startElection(ctx, 'transfer', `${from} transfers leadership`, message.transferNumber);
  } else if (message.term === ctx.term) {
    // The leader gets the answer: if the same order arrives again, it must not be obeyed.
    ctx.endTransfers(message.term, message.transferNumber);
  }
}
