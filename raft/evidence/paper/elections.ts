import { allowed, type Rule } from './rule.js';
import { isAtLeastAsUpToDate, isMajorityOf, lastIndexOf, lastTermOf, type Transition } from './server.js';

const beginsElection = ({ before, after }: Transition): boolean =>
  after.currentTerm === before.currentTerm + 1 && after.votedFor === after.id;

/**
 * Figure 2, "Rules for servers": a term only grows, through the server's own candidacy or because another has a later one.
 */
export const terms: Rule = (step) => {
  const { before, after, input } = step;
  if (after.currentTerm === before.currentTerm) return;
  allowed(step, after.currentTerm > before.currentTerm, 'the term falls');
  const isTold =
    input.type === 'message' && input.message.type !== 'preVote' && input.message.term === after.currentTerm;
  allowed(
    step,
    isTold || beginsElection(step) || input.type === 'bootstrap',
    `term ${after.currentTerm} comes from nowhere`,
  );
};

/**
 * Figure 2, RequestVote, with Raft thesis §4.2.3: a server that hears its leader does not even learn the candidate's term.
 */
export const votes: Rule = (step, memory) => {
  const { before, after, input } = step;
  if (after.currentTerm === before.currentTerm) {
    allowed(
      step,
      before.votedFor === null || after.votedFor === before.votedFor,
      `votes for ${after.votedFor} after ${before.votedFor}`,
    );
  }
  const votesNow = after.votedFor !== (after.currentTerm === before.currentTerm ? before.votedFor : null);
  const isAsked = input.type === 'message' && input.message.type === 'vote';
  if (votesNow && !beginsElection(step)) {
    allowed(
      step,
      isAsked && input.from === after.votedFor && input.message.term === after.currentTerm,
      `votes for ${after.votedFor}, who did not ask`,
    );
  }
  if (!isAsked || input.message.type !== 'vote') return;
  const { from, message } = input;
  const isReleased = message.transferNumber > before.transfersEnded(message.term - 1);
  const isLoyal = !isReleased && memory.isLoyal(step);
  if (isLoyal) {
    allowed(
      step,
      after.currentTerm === before.currentTerm && !votesNow,
      'turns away from a leader that it hears',
    );
    return;
  }
  const isLater = message.term > before.currentTerm;
  const isFree =
    isLater ||
    (message.term === before.currentTerm &&
      before.role === 'follower' &&
      before.leader === null &&
      (before.votedFor === null || before.votedFor === from));
  const mayGrant = isFree && isAtLeastAsUpToDate(message, before);
  if (isLater) allowed(step, after.currentTerm === message.term, 'does not take over a later term');
  const isGranted = after.currentTerm === message.term && after.votedFor === from;
  allowed(step, mayGrant || !isGranted || !votesNow, 'votes for a candidate with an older log');
  allowed(step, !mayGrant || isGranted || before.abstains, 'refuses a vote that it owes');
};

/** Votes are reported only when they are on disk (fig. 2, "updated on stable storage before responding"). */
export const spokenVotes: Rule = (step, memory) => {
  const { before, input, sent, disk } = step;
  for (const { to, message } of sent) {
    if (message.type === 'voteResponse' && message.granted) {
      allowed(
        step,
        disk.hardState.term === message.term && disk.hardState.votedFor === to,
        `tells ${to} of a vote that is not on disk`,
      );
    }
    // Raft thesis §9.6: a pre-vote has all the conditions of a vote, and binds nobody.
    if (message.type === 'preVoteResponse' && input.type === 'message' && input.message.type === 'preVote') {
      const { message: question } = input;
      const isFree =
        question.term > before.currentTerm ||
        (question.term === before.currentTerm && before.votedFor === null);
      const mayPromise =
        !before.abstains && isFree && !memory.isLoyal(step) && isAtLeastAsUpToDate(question, before);
      allowed(step, message.granted === mayPromise, `answers a pre-vote with ${message.granted}`);
    }
  }
};

/** Figure 2, "Candidates", with Raft thesis §9.6 and §3.10: pre-votes, and TimeoutNow from the leader that it follows. */
export const candidacies: Rule = (step, memory) => {
  const { before, after, input, outputs, sent, disk } = step;
  for (const output of outputs) {
    if (output.type !== 'event' || output.event.type !== 'electionStarted') continue;
    const { prevote, term } = output.event;
    memory.stands(prevote ? 'preVote' : 'vote', term, `${lastIndexOf(after)} ${lastTermOf(after)}`);
  }
  if (beginsElection(step)) {
    const isOrdered =
      input.type === 'message' &&
      input.message.type === 'timeoutNow' &&
      input.message.term === before.currentTerm &&
      before.role === 'follower' &&
      before.leader === input.from &&
      before.voters.includes(after.id) &&
      input.message.lastIndex === lastIndexOf(before) &&
      input.message.lastTerm === lastTermOf(before);
    allowed(
      step,
      isOrdered || isMajorityOf(before, (id) => id === after.id || memory.promises.has(id)),
      'stands for election without the promise of a majority',
    );
  }
  for (const { message } of sent) {
    if (message.type !== 'vote' && message.type !== 'preVote') continue;
    // A request that waited for the disk describes the log at the time when it was made.
    allowed(
      step,
      memory.stoodWith(message.type, message.term) === `${message.lastIndex} ${message.lastTerm}`,
      'says something wrong about its log',
    );
    if (message.type === 'vote') {
      const { term, votedFor } = disk.hardState;
      allowed(
        step,
        term === message.term && votedFor === after.id,
        'asks for votes before its own is on disk',
      );
    }
  }
};

/** Figure 2, "Leaders": elected by a majority, an empty entry first (Raft paper §8), and nobody else speaks as leader. */
export const leaders: Rule = (step, memory) => {
  const { before, after, input, sent, disk } = step;
  if (after.role === 'leader' && (before.role !== 'leader' || before.currentTerm !== after.currentTerm)) {
    const ownVote = disk.hardState.term === after.currentTerm && disk.hardState.votedFor === after.id;
    const votedForIt = (id: string): boolean => (id === after.id ? ownVote : memory.votes.has(id));
    allowed(step, before.role === 'candidate', `leads, and was a ${before.role}`);
    allowed(step, isMajorityOf(before, votedForIt), 'leads without the votes of a majority');
    allowed(step, after.log.at(-1)?.kind === 'noop', 'leads without an empty entry of its term');
  }
  if (before.role === 'leader' && after.role !== 'leader' && after.currentTerm === before.currentTerm) {
    const isRemoved = !after.voters.includes(after.id) && after.configurationIndex <= after.commitIndex;
    const mayHaveLostTouch = input.type === 'tick' || input.type === 'stalled';
    allowed(step, isRemoved || mayHaveLostTouch || memory.sleptThrough(step), 'gives up for no reason');
  }
  for (const { message } of sent) {
    const isLeadersOwn = ['append', 'heartbeat', 'snapshot', 'timeoutNow'].includes(message.type);
    if (!isLeadersOwn) continue;
    const leads = (server: typeof after): boolean =>
      server.role === 'leader' && server.currentTerm === message.term;
    allowed(
      step,
      leads(before) || leads(after),
      `sends ${message.type} and does not lead term ${message.term}`,
    );
  }
};
