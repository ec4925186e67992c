import { allowed, type Rule } from './rule.js';
import { entryAt, isJoint, isMajorityOf, lastIndexOf, type Server } from './server.js';

/**
 * Raft thesis §4.1, §4.3: one voter at a time, or through a joint configuration of old and new, and one change at a time.
 * Ongaro 2015: only after a commit in the leader's own term.
 */
export const membership: Rule = (step) => {
  const { before, after } = step;
  const isOwnChange = before.role === 'leader' && after.configurationIndex > before.configurationIndex;
  if (!isOwnChange || after.currentTerm !== before.currentTerm) return;
  allowed(step, before.configurationIndex <= after.commitIndex, 'changes the membership twice at a time');
  allowed(
    step,
    entryAt(after, after.commitIndex)?.term === before.currentTerm,
    'changes the membership before a commit in its term',
  );
  const [next, old] = after.quorums as [string[], string[]?];
  if (isJoint(before)) {
    return allowed(
      step,
      sameIds(next, before.quorums[0]) && !old,
      'leaves a joint configuration for another',
    );
  }
  if (old) return allowed(step, sameIds(old, before.voters), 'forgets the old voters');
  const difference = [...before.voters, ...next].filter(
    (id) => before.voters.includes(id) !== next.includes(id),
  );
  allowed(step, difference.length <= 1, 'changes more than one voter');
};

const sameIds = (one: readonly string[], other: readonly string[] = []): boolean =>
  one.length === other.length && one.every((id) => other.includes(id));

/** Raft thesis §6.4: a read sees what was committed when it came, once a majority answered a round that began after it. */
export const reads: Rule = (step, memory) => {
  const { before, after, outputs } = step;
  for (const output of outputs) {
    if (output.type !== 'answer' || output.answer.outcome !== 'done') continue;
    const read = memory.reads.get(output.id);
    if (!read) continue;
    const { index } = output.answer;
    allowed(
      step,
      index >= read.commitIndex && index <= after.commitIndex,
      'answers a read with another index',
    );
    const ownTermIsCommitted = entryAt(after, after.commitIndex)?.term === before.currentTerm;
    allowed(step, ownTermIsCommitted, 'answers a read before a commit in its term');
    const confirms = (id: string): boolean =>
      id === after.id || (memory.answeredRound.get(id) ?? 0) > read.round;
    allowed(step, isMajorityOf(after, confirms), 'answers a read without proof that it still leads');
  }
};

/** Raft thesis §3.10: TimeoutNow goes to a voter that has the whole log. */
export const transfers: Rule = (step, memory) => {
  const { after, sent } = step;
  for (const { to, message } of sent) {
    if (message.type !== 'timeoutNow') continue;
    allowed(
      step,
      after.voters.includes(to) && hasEverything(after, memory.match.get(to) ?? 0),
      `transfers leadership to ${to}, which has not everything`,
    );
  }
};

const hasEverything = (leader: Server, match: number): boolean => match === lastIndexOf(leader);
