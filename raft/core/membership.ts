import { applyChange, changeTiming, withoutJoint, type ChangeResult } from './configuration-change.js';
import { encodeConfiguration, type Configuration } from './configuration.js';
import type { CoreContext } from './context.js';
import { crc32 } from './crc32.js';
import { sendHeartbeats } from './heartbeats.js';
import type { Input } from './inputs.js';
import type { Leadership } from './leadership-state.js';
import { hasQuorum, voterSets } from './quorum.js';
import { appendOwn, replicateToAll, syncProgress } from './replication.js';

/** A new voter has so many election timeouts until it must answer at the cluster's pace. */
export const PROBATION_IN_TIMEOUTS = 10;

/** What both kinds of change append to the log. */
interface Change {
  id: number;
  expectedIndex: number | undefined;
  force: boolean;
  reason: string;
  make: (current: Configuration) => ChangeResult;
}

export function onChangeMembership(ctx: CoreContext, input: Input & { type: 'changeMembership' }): void {
  const { id, change, expectedIndex, force = false } = input;
  const make = (current: Configuration): ChangeResult => applyChange(current, change);
  changeConfiguration(ctx, { id, expectedIndex, force, reason: change.type, make });
}

export function onSetTiming(ctx: CoreContext, input: Input & { type: 'setTiming' }): void {
  const { id, timing, expectedIndex } = input;
  const make = (current: Configuration): ChangeResult => changeTiming(current, timing);
  changeConfiguration(ctx, { id, expectedIndex, force: true, reason: 'timing', make });
}

/** One change at a time, to the configuration that the caller has seen, by a leader that knows the whole log. */
function changeConfiguration(ctx: CoreContext, { id, expectedIndex, force, reason, make }: Change): void {
  const { leadership } = ctx;
  if (!leadership) return ctx.reject(id, 'not-leader');
  const { index, configuration } = ctx.configurations.latest;
  if (expectedIndex !== undefined && expectedIndex !== index) {
    return ctx.reject(
      id,
      'configuration-changed',
      `configuration changed since ${expectedIndex} (latest is ${index})`,
    );
  }
  // Without a commit in this term, two changes may have quorums that do not overlap (Ongaro 2015).
  if (!leadership.ready) {
    // cover: a change before the first commit
    // membership.test.ts "waits for a commit in the term (Ongaro 2015)"
    return ctx.reject(id, 'no-commit-in-term');
  }
  if (index > ctx.commit) {
    // cover: a change during a change
    // membership.test.ts "waits for the one before"
    return ctx.reject(id, 'change-in-progress');
  }
  if (configuration.joint) return ctx.reject(id, 'change-in-progress', 'a replacement is not complete yet');
  if (leadership.transfer) return ctx.reject(id, 'transfer-in-progress');
  const result = make(configuration);
  if (!result.ok) return ctx.reject(id, result.reason, result.detail);
  if (!result.changed) {
    // cover: a change that is made already
    // membership.test.ts "that changes nothing is answered with the entry that made the change"
    // It was made earlier, perhaps in another term. For a compacted entry only the snapshot's term is known.
    const term = ctx.log.termAt(Math.max(index, ctx.log.snapshotIndex)) as number;
    return ctx.answer(id, { outcome: 'done', index, term });
  }
  const silent = force ? null : missingQuorum(ctx, leadership, result.configuration);
  if (silent !== null) {
    return ctx.reject(id, 'would-lose-quorum', `no majority without an answer from ${silent.join(', ')}`);
  }
  const at = appendConfiguration(ctx, leadership, result.configuration, reason);
  // A replacement is done when its second entry is.
  if (result.configuration.joint) leadership.replacementRequest = id;
  else leadership.pending.set(at, id);
}

function appendConfiguration(
  ctx: CoreContext,
  leadership: Leadership,
  configuration: Configuration,
  reason: string,
): number {
  const data = encodeConfiguration(configuration);
  const { electionTimeoutMs, heartbeatIntervalMs, leaseTimeoutMs } = ctx.timing;
  const votersBefore = ctx.allVoters;
  const at = appendOwn(ctx, leadership, 'config', data, crc32(data));
  ctx.configurations.append({ index: at, configuration });
  ctx.event({ type: 'configuration', index: at, configuration, reason });
  syncProgress(ctx, leadership);
  for (const id of ctx.allVoters) {
    const progress = votersBefore.includes(id) ? undefined : leadership.progress.get(id);
    if (progress) progress.probationUntilMs = ctx.now + PROBATION_IN_TIMEOUTS * ctx.timing.electionTimeoutMs;
  }
  // A longer lease needs promises of longer loyalty. A shorter interval begins now.
  if (ctx.timing.electionTimeoutMs > electionTimeoutMs) leadership.leaseCountsFromMs = ctx.now;
  if (ctx.timing.leaseTimeoutMs < leaseTimeoutMs) leadership.quorumGraceFromMs = ctx.now;
  if (ctx.timing.heartbeatIntervalMs < heartbeatIntervalMs) sendHeartbeats(ctx, leadership);
  replicateToAll(ctx, leadership);
  return at;
}

/**
 * Leaves a joint configuration as soon as it is committed (Raft thesis §4.3), even if another leader began it. Until
 * then the majorities of both sides decide together.
 */
export function leaveJoint(ctx: CoreContext, leadership: Leadership): void {
  const { index, configuration } = ctx.configurations.latest;
  // The target of a transfer takes over only at exactly the position that it was told.
  if (!configuration.joint || index > ctx.commit || !leadership.ready || leadership.transfer?.isClosed)
    return;
  const at = appendConfiguration(ctx, leadership, withoutJoint(configuration), 'replaced');
  const id = leadership.replacementRequest;
  if (id !== null) leadership.pending.set(at, id);
  leadership.replacementRequest = null;
}

/** The silent voters without which the configuration has no quorum, now or when complete; null when it has one. */
function missingQuorum(ctx: CoreContext, leadership: Leadership, next: Configuration): string[] | null {
  const since = ctx.now - ctx.timing.electionTimeoutMs;
  const isThere = (id: string): boolean => {
    const progress = leadership.progress.get(id);
    const disk = next.members.find((member) => member.id === id)?.incarnation;
    if (id === ctx.id) return true;
    return (
      progress?.incarnation === disk &&
      progress?.state !== 'reverted' &&
      (progress?.heardAtMs ?? -Infinity) > since
    );
  };
  const sets = [...voterSets(next), ...voterSets(withoutJoint(next))];
  if (hasQuorum(sets, isThere)) return null;
  return [...new Set(sets.flat())].filter((id) => !isThere(id));
}
