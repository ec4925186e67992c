import type { CoreHost } from '../core-host.js';
import type { Patch } from './patched.js';

/** A deliberate bug. The simulator must find it within a few seeds, or its checks are worth nothing. */
export interface Mutant {
  name: string;
  /** Number of the bug that it puts back, if the catalogue of scenarios has it. */
  bug?: number;
  /** Each replaces a text that occurs once in a file of `raft/core`. */
  patches?: readonly Patch[];
  /** Another way of running the core. */
  coreHost?: Partial<CoreHost>;
  /** It shows only in rare situations: seeds that may be needed to find it. */
  rareWithin?: number;
}

/** Every mutant that is not rare is found within this many seeds. */
const SEEDS_MAX = 300;

export const seedsAllowed = ({ rareWithin = SEEDS_MAX }: Mutant): number => rareWithin;

export const mutants: readonly Mutant[] = [
  {
    name: 'writes are reported before they are durable',
    bug: 2,
    coreHost: { reportsWritesEarly: true },
  },
  {
    name: 'a write that failed counts as done',
    bug: 62,
    coreHost: { stopsOnFailedWrites: false },
  },
  {
    name: 'a damaged disk is taken as it is',
    bug: 64,
    coreHost: { checksDisks: false },
  },
  {
    name: 'answers of another disk count',
    rareWithin: 2000,
    bug: 40,
    coreHost: { mayComeFromAnyDisk: () => true },
  },
  {
    name: 'votes and terms are spoken of before they are durable',
    bug: 1,
    patches: [{ file: 'outbox.ts', find: 'if (this.hardDirty) return this.seq + 1;', replace: '' }],
  },
  {
    name: 'entries are acknowledged before they are durable',
    bug: 2,
    patches: [
      {
        file: 'outbox.ts',
        find: 'return this.dirty ? this.seq + 1 : this.outstanding?.seq;',
        replace: 'return undefined;',
      },
    ],
  },
  {
    name: 'a write that ends after a truncation counts for what it no longer holds',
    bug: 25,
    patches: [
      {
        file: 'outbox.ts',
        find: 'this.outstanding.lastIndex = Math.min(this.outstanding.lastIndex, from - 1);',
        replace: '',
      },
    ],
  },
  {
    name: 'held answers of an old term are sent later',
    bug: 25,
    patches: [
      { file: 'outbox.ts', find: 'dropHeld(): void {\n    this.held = [];', replace: 'dropHeld(): void {' },
    ],
  },
  {
    name: 'the vote is forgotten on restart',
    bug: 1,
    patches: [
      {
        file: 'context.ts',
        find: 'this.votedFor = restored.hardState.votedFor;',
        replace: 'this.votedFor = null;',
      },
    ],
  },
  {
    name: 'stepping down within a term clears the vote',
    bug: 3,
    patches: [{ file: 'step-down.ts', find: 'if (deposed) ctx.setTerm', replace: 'ctx.setTerm' }],
  },
  {
    name: 'votes go to anybody, also twice in a term',
    bug: 4,
    patches: [
      { file: 'voting.ts', find: '(ctx.votedFor === null || ctx.votedFor === from) &&', replace: '' },
    ],
  },
  {
    name: 'a longer log wins over a newer one',
    bug: 8,
    patches: [
      {
        file: 'log.ts',
        find: 'return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);',
        replace: 'return lastIndex >= this.lastIndex;',
      },
    ],
  },
  {
    name: 'an election is won without a majority',
    bug: 7,
    patches: [
      {
        file: 'quorum.ts',
        find: '=> Math.floor(voters.length / 2) + 1',
        replace: '=> Math.max(1, Math.floor(voters.length / 2))',
      },
    ],
  },
  {
    name: 'non-voters count',
    bug: 7,
    patches: [{ file: 'quorum.ts', find: '.filter((member) => member.voter)', replace: '' }],
  },
  {
    name: 'entries of an old term are committed by counting',
    bug: 19,
    patches: [{ file: 'acknowledgements.ts', find: ' || ctx.log.termAt(index) !== ctx.term', replace: '' }],
  },
  {
    name: 'the leader counts its own memory instead of its disk',
    bug: 31,
    patches: [
      {
        file: 'acknowledgements.ts',
        find: 'id === ctx.id ? ctx.outbox.durableIndex :',
        replace: 'id === ctx.id ? ctx.log.lastIndex :',
      },
    ],
  },
  {
    name: 'a follower commits its unverified tail',
    bug: 20,
    patches: [
      {
        file: 'accept.ts',
        find: 'ctx.commitTo(Math.min(message.commit, lastIndex));',
        replace: 'ctx.commitTo(Math.min(message.commit, log.lastIndex));',
      },
      {
        file: 'replication.ts',
        find: 'commit: Math.min(ctx.commit, lastIndex),',
        replace: 'commit: ctx.commit,',
      },
    ],
  },
  {
    name: 'heartbeats carry the bare commit index',
    bug: 20,
    patches: [
      {
        file: 'heartbeats.ts',
        find: 'const commit = Math.min(ctx.commit, progress.match);',
        replace: 'const commit = ctx.commit;',
      },
      {
        file: 'accept.ts',
        find: 'if (!ctx.reverted && message.commit <= ctx.log.lastIndex) ctx.commitTo(message.commit);',
        replace: 'ctx.commitTo(Math.min(message.commit, ctx.log.lastIndex));',
      },
      // The comparison of hashes, which came later, would catch it.
      { file: 'reversion.ts', find: '|| own === logHash) return;', replace: '|| own >= 0) return;' },
    ],
  },
  {
    name: 'every append truncates',
    bug: 21,
    patches: [
      {
        file: 'accept.ts',
        find: 'if (log.termAt(entry.index) === entry.term) return checkSameHash(ctx, from, entry.index, entry.chainHash);',
        replace: '',
      },
    ],
  },
  {
    name: 'a conflicting entry stays',
    patches: [
      {
        file: 'accept.ts',
        find: 'truncateFrom(ctx, entry.index);\n',
        replace: 'return;\n',
      },
    ],
  },
  {
    name: 'the entry before is not compared',
    patches: [
      {
        file: 'accept.ts',
        find: 'if (term !== message.prevTerm) {\n      return refuse(ctx, from, requestId, log.firstIndexOfTermAt(message.prevIndex), term);\n    }\n    checkSameHash(ctx, from, message.prevIndex, message.prevHash);',
        replace: '',
      },
    ],
  },
  {
    name: 'a refusal counts as an acknowledgement',
    bug: 23,
    patches: [
      {
        file: 'acknowledgements.ts',
        find: 'if (message.success) {\n    acknowledge(ctx, leadership, from, progress, message.matchIndex);',
        replace:
          'if (message.success || request) {\n    acknowledge(ctx, leadership, from, progress, request?.lastIndex ?? message.matchIndex);',
      },
    ],
  },
  {
    name: 'answers of an earlier term count',
    rareWithin: 3000,
    bug: 24,
    patches: [
      {
        file: 'raft-core.ts',
        find: 'if (!leadership || message.term !== ctx.term) {',
        replace: 'if (!leadership) {',
      },
    ],
  },
  {
    name: 'a lost request is never given up',
    bug: 27,
    patches: [
      {
        file: 'progress.ts',
        find: 'if (!this.inflight.some((request) => request.movedAtMs <= olderThanMs)) return false;',
        replace: 'if (olderThanMs > -Infinity) return false;',
      },
      {
        file: 'leader.ts',
        find: 'if (!progress?.settle(requestId)) {',
        replace: 'if (!progress || requestId > 0) {',
      },
    ],
  },
  {
    name: 'a transfer never ends',
    bug: 45,
    patches: [
      {
        file: 'transfer.ts',
        find: 'if (!transfer || ctx.now < transfer.deadlineMs) return;',
        replace: 'if (transfer !== undefined) return;',
      },
    ],
  },
  {
    name: 'a leader that gives up says that the transfer is done',
    patches: [
      {
        file: 'step-down.ts',
        find: 'transfer.requestId !== null && deposed',
        replace: 'transfer.requestId !== null',
      },
    ],
  },
  {
    name: 'the lease counts from the answer, not from the question',
    bug: 52,
    patches: [
      {
        file: 'leader.ts',
        find: 'Math.max(progress.ackedSentAtMs, sentAtMs)',
        replace: 'Math.max(progress.ackedSentAtMs, ctx.now)',
      },
      {
        file: 'leader.ts',
        find: 'Math.max(progress.promisedFromMs, sentAtMs)',
        replace: 'Math.max(progress.promisedFromMs, ctx.now)',
      },
    ],
  },
  {
    name: 'a leader keeps its lease during a transfer, and after one',
    bug: 43,
    patches: [
      { file: 'leader.ts', find: 'if (transfer?.isClosed) return -Infinity;', replace: 'void transfer;' },
      {
        file: 'leader.ts',
        find: 'promisedFromMs > leaseCountsFromMs ?',
        replace: 'leaseCountsFromMs < Infinity ?',
      },
    ],
  },
  {
    name: 'votes are taken for a lease',
    patches: [
      {
        file: 'leader.ts',
        find: 'progress.get(id)?.promisedFromMs ??',
        replace: 'progress.get(id)?.ackedSentAtMs ??',
      },
    ],
  },
  {
    name: 'the patience with a newcomer is taken for a lease',
    patches: [
      {
        file: 'leader.ts',
        find: 'Math.max(progress.promisedFromMs, sentAtMs)',
        replace: 'Math.max(progress.ackedSentAtMs, sentAtMs)',
      },
    ],
  },
  {
    name: 'answers to any earlier pre-vote count',
    bug: 10,
    patches: [{ file: 'candidate.ts', find: ' || !campaign.asked.has(message.requestId)', replace: '' }],
  },
  {
    name: 'nobody is loyal to a leader',
    bug: 13,
    patches: [
      {
        file: 'voting.ts',
        find: 'const remainingMs = isReleased ? 0 : loyaltyMs(ctx);',
        replace: 'const remainingMs = 0;',
      },
      {
        file: 'voting.ts',
        find: 'const remainingMs = loyaltyMs(ctx);',
        replace: 'const remainingMs = 0;',
      },
    ],
  },
  {
    name: 'a leader without a quorum stays',
    bug: 12,
    patches: [
      {
        file: 'leader.ts',
        find: "becomeFollower(ctx, ctx.term, null, 'no contact with a quorum');\n    return;",
        replace: '',
      },
    ],
  },
  {
    name: 'a later term in a refusal is not learned',
    bug: 9,
    patches: [
      {
        file: 'candidate.ts',
        find: 'becomeFollower(ctx, message.term, null, `${from} knows a later term`);\n    scheduleRetry(ctx, 0);',
        replace: '',
      },
    ],
  },
  {
    name: 'a follower uses a new configuration late',
    bug: 35,
    patches: [
      {
        file: 'accept.ts',
        find: 'ctx.configurations.append({ index: entry.index, configuration });',
        replace: '',
      },
    ],
  },
  {
    name: 'a configuration is not rolled back with the log',
    bug: 35,
    patches: [
      {
        file: 'accept.ts',
        find: 'if (!ctx.configurations.truncateFrom(index)) return;',
        replace: 'if (index > 0) return;',
      },
    ],
  },
  {
    name: 'the membership changes before a commit in the term',
    bug: 33,
    patches: [
      {
        file: 'membership.ts',
        find: "return ctx.reject(id, 'no-commit-in-term');",
        replace: '',
      },
    ],
  },
  {
    name: 'two changes of membership at a time',
    bug: 33,
    patches: [
      {
        file: 'membership.ts',
        find: "return ctx.reject(id, 'change-in-progress');",
        replace: '',
      },
    ],
  },
  {
    name: 'a leader stays after its removal',
    bug: 36,
    patches: [
      {
        file: 'acknowledgements.ts',
        find: 'if (!ctx.isVoter(ctx.id)) {',
        replace: 'if (ctx.role !== "leader") {',
      },
    ],
  },
  {
    name: 'a leader that removes itself cannot stand again',
    bug: 36,
    patches: [
      {
        file: 'candidate.ts',
        find: 'if (!ctx.mayStand) {',
        replace: 'if (ctx.reverted || !ctx.isVoter(ctx.id)) {',
      },
    ],
  },
  {
    name: 'reads before the first commit of the term',
    bug: 48,
    patches: [
      {
        file: 'heartbeats.ts',
        find: 'if (leadership.ready) startRead(ctx, leadership, id);',
        replace: 'if (leadership) startRead(ctx, leadership, id);',
      },
    ],
  },
  {
    name: 'reads without proof of leadership',
    bug: 50,
    patches: [
      {
        file: 'heartbeats.ts',
        find: 'if (read.round <= confirmed) {',
        replace: 'if (read.round <= confirmed || read.id > 0) {',
      },
    ],
  },
  {
    name: 'reads are confirmed by an earlier round',
    rareWithin: 3000,
    bug: 49,
    patches: [
      {
        file: 'heartbeats.ts',
        find: 'if (read.round <= confirmed) {',
        replace: 'if (read.round <= confirmed + 3) {',
      },
    ],
  },
  {
    name: 'an old snapshot replaces newer state',
    bug: 59,
    patches: [
      {
        file: 'accept.ts',
        find: 'if (snapshot.index > ctx.commit) {\n    if (log.termAt(snapshot.index) === snapshot.term) {',
        replace: 'if (snapshot.index > 0) {\n    if (log.termAt(snapshot.index) === snapshot.term) {',
      },
    ],
  },
  {
    name: 'a snapshot that was received leaves the old log on disk',
    bug: 58,
    patches: [{ file: 'outbox.ts', find: 'this.resetLog = true;', replace: 'this.resetLog = false;' }],
  },
  {
    name: 'a snapshot loses the membership',
    bug: 61,
    patches: [
      {
        file: 'accept.ts',
        find: 'ctx.configurations.reset(snapshot.configuration);',
        replace: '',
      },
    ],
  },
  {
    name: 'lost leadership is reported as a rejection',
    bug: 68,
    patches: [
      {
        file: 'step-down.ts',
        find: "ctx.answer(id, { outcome: 'unknown', reason: `leadership lost: ${reason}`, at });",
        replace: "ctx.answer(id, { outcome: 'rejected', reason: 'not-leader' });",
      },
    ],
  },
  {
    name: 'proposals are accepted without limit',
    bug: 32,
    patches: [
      {
        file: 'leader.ts',
        find: "return ctx.reject(id, 'too-many-uncommitted');",
        replace: '',
      },
    ],
  },
  {
    name: 'voters that are silent are not asked again',
    rareWithin: 3000,
    bug: 5,
    patches: [
      {
        file: 'candidate.ts',
        find: 'ctx.now < ctx.campaign.endsAtMs) {\n    askForVotes(ctx, ctx.campaign);',
        replace:
          'ctx.now < ctx.campaign.endsAtMs) {\n    scheduleRetry(ctx, ctx.campaign.endsAtMs - ctx.now);',
      },
    ],
  },
  {
    name: 'a split vote is waited out with the patience for slow disks',
    rareWithin: 10000,
    patches: [
      {
        file: 'candidate.ts',
        find: 'campaign.endsAtMs = Math.min(campaign.endsAtMs, ctx.now + ctx.timing.electionTimeoutMs);',
        replace: '',
      },
    ],
  },
  {
    name: 'elections do not wait for slow disks',
    rareWithin: 2000,
    bug: 16,
    patches: [{ file: 'candidate.ts', find: 'ctx.now + patienceMs(ctx)', replace: 'ctx.now - 1' }],
  },
  {
    name: 'a leader that is left alone does not answer its reads',
    rareWithin: 10000,
    patches: [
      {
        file: 'acknowledgements.ts',
        find: 'syncProgress(ctx, leadership);\n  // A lone leader gets no answers that could confirm its reads.\n  answerReads(ctx, leadership);',
        replace: 'syncProgress(ctx, leadership);',
      },
    ],
  },
  {
    name: 'a restart forgets the configurations that are not committed',
    bug: 35,
    patches: [
      {
        file: 'context.ts',
        find: 'restored.configurations);',
        replace: 'restored.configurations.filter(({ index }) => index <= restored.hardState.commit));',
      },
    ],
  },
  {
    name: 'an answer that was overtaken accuses a disk',
    patches: [
      {
        file: 'progress.ts',
        find: 'return requestId > this.matchedAtRequest && lastIndex < this.match;',
        replace: 'return lastIndex < this.match;',
      },
    ],
  },
  {
    name: 'the hash of a heartbeat is not compared',
    patches: [{ file: 'reversion.ts', find: '|| own === logHash) return;', replace: '|| own >= 0) return;' }],
  },
  {
    name: 'a restart forgets that the disk had lost something',
    patches: [
      {
        file: 'context.ts',
        find: 'this.reverted = restored.hardState.reverted === true;',
        replace: 'this.reverted = false;',
      },
    ],
  },
  {
    name: 'a disk that lost something takes entries again',
    patches: [
      { file: 'accept.ts', find: 'if (ctx.reverted) {', replace: 'if (ctx.reverted && ctx.now < 0) {' },
    ],
  },
  {
    name: 'a replacement is decided by the new voters alone',
    patches: [
      {
        file: 'quorum.ts',
        find: 'return configuration.joint ? [voters, configuration.joint.voters] : [voters];',
        replace: 'return [voters];',
      },
    ],
  },
  {
    name: 'a replacement is decided by the old voters alone',
    patches: [
      {
        file: 'quorum.ts',
        find: 'return configuration.joint ? [voters, configuration.joint.voters] : [voters];',
        replace: 'return [configuration.joint?.voters ?? voters];',
      },
    ],
  },
  {
    name: 'a longer lease rests on earlier, shorter promises',
    patches: [
      {
        file: 'membership.ts',
        find: 'if (ctx.timing.electionTimeoutMs > electionTimeoutMs) leadership.leaseCountsFromMs = ctx.now;',
        replace: '',
      },
    ],
  },
  {
    name: 'new times are in force at the commit only',
    patches: [
      {
        file: 'context.ts',
        find: 'const { configuration } = this.configurations.latest;\n    if (this.timingFound',
        replace: 'const { configuration } = this.configurations.at(this.commit);\n    if (this.timingFound',
      },
    ],
  },
  {
    name: 'a follower is loyal by its own timing, not by the one that the leader counts on',
    patches: [
      {
        file: 'accept.ts',
        find: 'if (loyaltyWindowMs !== undefined) ctx.loyaltyWindowMs = loyaltyWindowMs;',
        replace: '',
      },
    ],
  },
  {
    name: 'a late heartbeat shortens the promise of an earlier one',
    patches: [
      {
        file: 'election-timer.ts',
        find: 'Math.max(ctx.loyalUntilMs, ctx.now + ctx.loyaltyWindowMs)',
        replace: 'ctx.now + ctx.loyaltyWindowMs',
      },
    ],
  },
  {
    name: 'a follower stands before its promise ends',
    patches: [
      {
        file: 'election-timer.ts',
        find: 'const promisedMs = ctx.leader === null ? -Infinity : ctx.loyalUntilMs;',
        replace: 'const promisedMs = -Infinity;',
      },
    ],
  },
  {
    name: 'a loyal follower learns terms from late answers',
    patches: [
      {
        file: 'election-timer.ts',
        find: "ctx.role === 'follower' && loyaltyMs(ctx) > 0",
        replace: "ctx.role !== 'follower' && loyaltyMs(ctx) < 0",
      },
    ],
  },
  {
    name: 'a replacement is never completed',
    patches: [
      { file: 'membership.ts', find: '!configuration.joint || index', replace: 'configuration || index' },
    ],
  },
  {
    name: 'a replacement that another leader began is not completed',
    patches: [
      {
        file: 'membership.ts',
        find: 'if (!configuration.joint || index',
        replace: 'if (leadership.replacementRequest === null || !configuration.joint || index',
      },
    ],
  },
  {
    name: 'a replacement is completed before it is committed',
    patches: [
      {
        file: 'membership.ts',
        find: 'index > ctx.commit || !leadership.ready',
        replace: '!leadership.ready',
      },
    ],
  },
  {
    name: 'two followers get the same rank',
    patches: [
      {
        file: 'heartbeats.ts',
        find: 'rank: place < 0 ? succession.length : place,',
        replace: 'rank: place >> 1,',
      },
    ],
  },
  {
    name: 'data that is not on disk yet is dropped from memory',
    patches: [
      {
        file: 'raft-core.ts',
        find: 'Math.min(ctx.applied, ctx.outbox.durableIndex)',
        replace: 'ctx.applied',
      },
    ],
  },
  {
    name: 'a snapshot is taken of what is not on disk yet',
    bug: 58,
    patches: [
      { file: 'raft-core.ts', find: ' || index > ctx.outbox.durableIndex) return;', replace: ') return;' },
    ],
  },
  {
    name: 'a leader takes no proposals while the target of a transfer catches up',
    patches: [{ file: 'transfer.ts', find: 'isClosed: false,', replace: 'isClosed: true,' }],
  },
  {
    name: 'a leader takes proposals after it sent its successor forth',
    patches: [{ file: 'leader.ts', find: 'if (leadership.transfer?.isClosed)', replace: 'if (ctx.now < 0)' }],
  },
  {
    name: 'the preparation of a transfer is done before the target has caught up',
    patches: [
      {
        file: 'catch-up.ts',
        find: 'else if (hasCaughtUp(leadership, to, index)) {',
        replace: 'else if (hasCaughtUp(leadership, to, ctx.commit)) {',
      },
    ],
  },
  {
    name: 'what a leader left open is said to be of the term of the next',
    patches: [
      {
        file: 'step-down.ts',
        find: 'const at = { index, term: ownTerm };',
        replace: 'const at = { index, term: ctx.term };',
      },
    ],
  },
  {
    name: 'a new voter counts at once for the quorum that a leader must hear',
    patches: [
      {
        file: 'leader.ts',
        find: '(progress && ctx.now < progress.probationUntilMs)',
        replace: '(progress && ctx.now < 0)',
      },
    ],
  },
  {
    name: 'a leader whose entries reach nobody stays',
    patches: [
      {
        file: 'work.ts',
        find: 'if (forMs < leaderPatienceMs(ctx)) return false;',
        replace: 'if (forMs >= 0) return false;',
      },
    ],
  },
  {
    name: 'the patience of a leader that is of no use does not grow',
    rareWithin: 3000,
    patches: [{ file: 'patience.ts', find: 'ctx.fruitlessLeaderships += 1;', replace: '' }],
  },
  {
    name: 'a leader that was of no use does not make room for others',
    patches: [
      {
        file: 'patience.ts',
        find: 'ctx.restsUntilMs = ctx.now + REST_IN_PATIENCES * leaderPatienceMs(ctx);',
        replace: '',
      },
    ],
  },
  {
    name: 'the same bytes count as work each time that they arrive',
    patches: [{ file: 'progress.ts', find: 'if (bytes <= this.arriving.bytes) return false;', replace: '' }],
  },
];
