import { chainHash } from './chain-hash.js';
import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import type { EntryKind } from './entries.js';
import type { Leadership } from './leadership-state.js';
import { entryOf } from './log.js';
import { Progress } from './progress.js';
import { noteNewWork } from './work.js';

/** A probe searches for the common point of two logs. It carries entries only while they are this small. */
const PROBE_BYTES_MAX = 16 * 1024;

/** Adds an entry of the leader's own term to its log; returns the index. */
export function appendOwn(
  ctx: CoreContext,
  leadership: Leadership,
  kind: EntryKind,
  data: Uint8Array,
  crc: number,
): number {
  const { log, term } = ctx;
  noteNewWork(ctx, leadership);
  const entry = { index: log.lastIndex + 1, term, kind, byteLength: data.length, crc, chainHash: 0, data };
  entry.chainHash = chainHash(log.lastHash, entry);
  log.append(entry);
  leadership.uncommittedBytes += data.length;
  return entry.index;
}

/** Updates the followers to replicate to after a change of the configuration. */
export function syncProgress(ctx: CoreContext, leadership: Leadership): void {
  const { index, configuration } = ctx.configurations.latest;
  for (const member of configuration.members) {
    // A new disk under an old name has nothing of what the previous one acknowledged.
    const known = leadership.progress.get(member.id)?.incarnation === member.incarnation;
    if (member.id === ctx.id || known) continue;
    leadership.progress.set(member.id, new Progress(ctx.log.lastIndex + 1, ctx.now, member.incarnation));
  }
  // A removed member still gets entries until its removal is committed, so that it learns of it.
  if (index > ctx.commit) return;
  for (const id of leadership.progress.keys()) {
    if (!configuration.members.some((member) => member.id === id)) leadership.progress.delete(id);
  }
}

/** Sends every follower what is due. */
export function replicateToAll(ctx: CoreContext, leadership: Leadership): void {
  for (const [id, progress] of leadership.progress) replicateTo(ctx, id, progress);
}

/** Sends what is due. The leader's own write runs at the same time (Raft thesis §10.2.1). */
export function replicateTo(ctx: CoreContext, to: NodeId, progress: Progress): void {
  const { log, limits } = ctx;
  while (progress.canSend(limits, ctx.now)) {
    const prevIndex = progress.next - 1;
    const prevTerm = log.termAt(prevIndex);
    if (prevTerm === undefined) {
      // cover: a follower needs a snapshot
      // snapshots.test.ts "sends its snapshot, then the rest"
      sendSnapshot(ctx, to, progress);
      return;
    }
    const probing = progress.state !== 'replicate';
    if (!probing && progress.next > log.lastIndex) return;
    let entries = log.slice(progress.next, limits.appendBytesMax);
    let bytes = entries.reduce((sum, entry) => sum + entry.byteLength, 0);
    if (probing && bytes > PROBE_BYTES_MAX) {
      // cover: a probe goes without its big entry
      // replication.test.ts "probes with big entries left out, so that a lost probe costs little"
      entries = [];
      bytes = 0;
    }
    const requestId = ctx.nextRequestId();
    const lastIndex = prevIndex + entries.length;
    progress.sent({ requestId, prevIndex, lastIndex, bytes, movedAtMs: ctx.now });
    ctx.send(
      to,
      {
        type: 'append',
        term: ctx.term,
        requestId,
        prevIndex,
        prevTerm,
        prevHash: log.hashAt(prevIndex) as number,
        commit: Math.min(ctx.commit, lastIndex),
        entries: entries.map((entry) => entryOf(entry, entry.data)),
      },
      'term',
    );
    if (probing) return;
  }
}

function sendSnapshot(ctx: CoreContext, to: NodeId, progress: Progress): void {
  const { log } = ctx;
  const requestId = ctx.nextRequestId();
  progress.state = 'snapshot';
  const index = log.snapshotIndex;
  progress.sent({ requestId, prevIndex: 0, lastIndex: index, bytes: 0, movedAtMs: ctx.now });
  ctx.send(
    to,
    {
      type: 'snapshot',
      term: ctx.term,
      requestId,
      snapshot: {
        index,
        term: log.termAt(index) as number,
        chainHash: log.hashAt(index) as number,
        configuration: ctx.configurations.at(index),
        data: undefined,
      },
    },
    'term',
  );
}
