import type { AppendRequest } from '../../core/messages.js';
import { allowed, type Rule } from './rule.js';
import { entryAt, isJoint, isMajorityOf, lastIndexOf, type LogEntry, type Server } from './server.js';

/** Figure 2, AppendEntries, step 2: the log has the previous entry, or a snapshot covers it. */
function isConsistent(server: Server, { term, prevIndex, prevTerm }: AppendRequest): boolean {
  if (term < server.currentTerm) return false;
  return prevIndex < server.base.index || entryAt(server, prevIndex)?.term === prevTerm;
}

/** Figure 2, AppendEntries, steps 3 and 4: deletes a conflicting entry and all after it, and appends new entries. */
function appended(server: Server, { entries }: AppendRequest): LogEntry[] {
  let log = [...server.log];
  for (const entry of entries) {
    if (entry.index <= server.base.index) continue;
    const at = entry.index - server.base.index - 1;
    if (log[at]?.term === entry.term) continue;
    log = log.slice(0, at);
    log.push({ index: entry.index, term: entry.term, kind: entry.kind, hash: entry.chainHash });
  }
  return log;
}

const sameLog = (one: readonly LogEntry[], other: readonly LogEntry[]): boolean =>
  one.length === other.length && one.every((entry, at) => entry.hash === other[at]?.hash);

/** The log changes only as the input allows. */
export const logChanges: Rule = (step, memory) => {
  const { before, after, input } = step;
  const isLonger = after.log.length === before.log.length + 1 && sameLog(after.log.slice(0, -1), before.log);
  const newest = after.log.at(-1);
  const isNew = (kind: LogEntry['kind']): boolean =>
    isLonger && newest?.kind === kind && newest.term === after.currentTerm;
  const hasSameBase = after.base.index === before.base.index;
  const isSame = hasSameBase && sameLog(before.log, after.log);
  // Raft thesis §4.3: once a joint configuration is committed, its leader appends the new one.
  const isCompletion =
    before.role === 'leader' &&
    isJoint(before) &&
    !isJoint(after) &&
    before.configurationIndex <= after.commitIndex &&
    isNew('config');

  if (after.role === 'leader' && before.role !== 'leader') {
    return allowed(
      step,
      hasSameBase && isNew('noop'),
      'begins its term with something else than an empty entry',
    );
  }
  switch (input.type) {
    case 'bootstrap':
      return allowed(
        step,
        isSame || (before.log.length === 0 && newest?.kind === 'config'),
        'founds a cluster oddly',
      );
    case 'propose':
      allowed(step, isSame || !memory.isOrdered, 'takes a proposal after it sent its successor forth');
      return allowed(step, isSame || (before.role === 'leader' && isNew('command')), 'appends oddly');
    case 'changeMembership':
    case 'setTiming':
      allowed(step, isSame || memory.transfer === undefined, 'changes the membership during a transfer');
      return allowed(step, isSame || (before.role === 'leader' && isNew('config')), 'appends oddly');
    case 'compact': {
      const kept = before.log.filter((entry) => entry.index > after.base.index);
      const isOfLog = entryAt(before, after.base.index)?.hash === after.base.hash;
      return allowed(step, isSame || (isOfLog && sameLog(kept, after.log)), 'loses entries with a snapshot');
    }
    case 'message':
      break;
    default:
      return allowed(step, isSame || isCompletion, 'changes its log unasked');
  }
  const { message } = input;
  if (message.type === 'append') {
    const isTaken = isConsistent(before, message) && !before.abstains;
    const expected = isTaken ? appended(before, message) : before.log;
    return allowed(step, hasSameBase && sameLog(expected, after.log), 'appends otherwise than figure 2 says');
  }
  if (message.type === 'snapshot' && !isSame) {
    const { index, chainHash } = message.snapshot;
    const isInstalled = after.base.hash === chainHash && after.log.length === 0;
    const isNeeded = index > before.commitIndex && entryAt(before, index)?.hash !== chainHash;
    return allowed(step, isInstalled && isNeeded, 'replaces its log by a snapshot that it does not need');
  }
  allowed(step, isSame || isCompletion, 'changes its log unasked');
};

/** Figure 2: a leader counts disks, for entries of its own term. A follower commits only what it verified. */
export const commits: Rule = (step, memory) => {
  const { before, after, input } = step;
  const { commitIndex } = after;
  allowed(
    step,
    commitIndex >= before.commitIndex && commitIndex <= lastIndexOf(after),
    'commits out of order',
  );
  if (commitIndex === before.commitIndex) return;
  allowed(step, !after.abstains, 'commits although its disk lost something');
  if (before.role === 'leader' && before.currentTerm === after.currentTerm) {
    allowed(
      step,
      entryAt(after, commitIndex)?.term === after.currentTerm,
      'commits an entry of an earlier term by counting (Raft paper §5.4.2)',
    );
    const has = (id: string): boolean =>
      (id === after.id ? memory.durableIndex(step) : (memory.match.get(id) ?? 0)) >= commitIndex;
    return allowed(step, isMajorityOf(after, has), `commits ${commitIndex} without a majority`);
  }
  const message = input.type === 'message' ? input.message : undefined;
  if (message?.type === 'append') {
    const verified = message.prevIndex + message.entries.length;
    return allowed(
      step,
      isConsistent(before, message) && commitIndex <= Math.min(message.commit, verified),
      'commits what the message does not prove',
    );
  }
  if (message?.type === 'heartbeat')
    return allowed(step, commitIndex <= message.commit, 'commits more than it was told');
  if (message?.type === 'snapshot')
    return allowed(step, commitIndex === message.snapshot.index, 'commits oddly');
  allowed(step, false, 'commits unasked');
};

/** Figure 2, AppendEntries: what a follower answers, and that it has on disk what it acknowledges. */
export const acknowledgements: Rule = (step, memory) => {
  const { before, after, input, sent, disk } = step;
  if (input.type === 'message' && input.message.type === 'append') {
    const { from, message } = input;
    // A disk that lost something has nothing that counts: its answer is neither a refusal nor an acknowledgement.
    const isCurrent = message.term >= before.currentTerm;
    const success = isConsistent(before, message) || (before.abstains && isCurrent);
    const verified = Math.max(message.prevIndex + message.entries.length, before.base.index);
    const { requestId } = message;
    memory.owe(
      from,
      { ...message, term: after.currentTerm, requestId },
      { success, matchIndex: success && !before.abstains ? verified : 0 },
    );
  }
  for (const { to, message } of sent) {
    if (message.type !== 'appendResponse') continue;
    const isOwed = memory
      .owes(to, message)
      .some(({ success, matchIndex }) => success === message.success && matchIndex === message.matchIndex);
    allowed(step, isOwed, `answers ${to} otherwise than its append says`);
    if (!message.success || message.term !== after.currentTerm) continue;
    const { matchIndex } = message;
    const isOnDisk =
      matchIndex <= Math.max(after.base.index, disk.snapshotIndex) ||
      disk.hashAt(matchIndex) === entryAt(after, matchIndex)?.hash;
    allowed(step, isOnDisk, `acknowledges ${matchIndex}, which is not on its disk`);
  }
};

/** Figure 2, "Leaders": what is sent is what is in the log. */
export const replication: Rule = (step, memory) => {
  const { before, after, sent } = step;
  for (const { to, message } of sent) {
    if (message.type === 'heartbeat') {
      const commit = Math.max(before.commitIndex, after.commitIndex);
      allowed(step, message.commit <= Math.min(commit, memory.match.get(to) ?? 0), `tells ${to} too much`);
      const index = Math.max(message.acknowledged, message.commit);
      allowed(
        step,
        message.logHash === undefined || message.logHash === entryAt(after, index)?.hash,
        `tells ${to} of another entry than it has`,
      );
    }
    if (message.type !== 'append') continue;
    const previous = entryAt(after, message.prevIndex);
    allowed(
      step,
      previous?.term === message.prevTerm && previous.hash === message.prevHash,
      `names another entry before than it has`,
    );
    allowed(step, message.commit <= after.commitIndex, `tells ${to} of a commit that did not happen`);
    message.entries.forEach((entry, at) => {
      const own = entryAt(after, message.prevIndex + 1 + at);
      allowed(step, own?.hash === entry.chainHash && own.term === entry.term, `sends what it has not`);
    });
  }
};
