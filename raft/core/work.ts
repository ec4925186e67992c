import type { NodeId } from './configuration.js';
import type { CoreContext } from './context.js';
import type { Leadership } from './leadership-state.js';
import { leave } from './leaving.js';
import { obstacles } from './obstacles.js';
import { leaderPatienceMs, noteCommitTime } from './patience.js';
import { hasQuorum } from './quorum.js';
import { answers, successors } from './succession.js';

/** The first uncommitted entry that this leader is responsible for: at first the empty entry of its term. */
const owedIndex = (ctx: CoreContext, { ready, noopIndex }: Leadership): number =>
  ready ? ctx.commit + 1 : noopIndex;

/** How long the next entry to commit has made no progress; 0 when nothing waits. */
function withoutWorkMs(ctx: CoreContext, leadership: Leadership): number {
  return ctx.log.lastIndex > ctx.commit ? ctx.now - leadership.workedAtMs : 0;
}

/** Call before an entry is appended: a leader that had nothing to do was not stuck. */
export function noteNewWork(ctx: CoreContext, leadership: Leadership): void {
  if (ctx.log.lastIndex === ctx.commit) noteWork(ctx, leadership);
}

/** A waiting entry made progress. */
function noteWork(ctx: CoreContext, leadership: Leadership): void {
  leadership.workedAtMs = ctx.now;
  leadership.isIdlenessTold = false;
}

/** Call after a commit. */
export function noteCommit(ctx: CoreContext, leadership: Leadership): void {
  noteCommitTime(ctx, ctx.now - leadership.workedAtMs);
  noteWork(ctx, leadership);
}

/**
 * A voter has more of the log than before, or of the entry in flight to it. That counts as progress as long as it
 * lacks the waiting entry: what comes after that one helps nobody.
 */
export function noteArrival(ctx: CoreContext, leadership: Leadership, at: NodeId, matchBefore: number): void {
  if (ctx.isVoter(at) && matchBefore < owedIndex(ctx, leadership)) noteWork(ctx, leadership);
}

/**
 * Answers to heartbeats prove that a leader is heard, not that it can commit: links may lose its entries and let small
 * frames pass. A leader that commits nothing for this long transfers leadership to a voter that has its whole log. If
 * there is none, it steps down if the others can elect one of themselves. Otherwise it stays, because nobody else
 * could lead.
 *
 * @returns true when its leadership is over
 */
export function leaveWithoutWork(ctx: CoreContext, leadership: Leadership): boolean {
  const forMs = withoutWorkMs(ctx, leadership);
  if (forMs < leaderPatienceMs(ctx)) return false;
  const heir = successors(ctx, leadership).find((id) => {
    const progress = leadership.progress.get(id);
    return progress && answers(ctx, progress) && progress.match === ctx.log.lastIndex;
  });
  if (heir === undefined && !othersCanElect(ctx, leadership)) {
    // cover: a leader without work stays
    // work.test.ts "stays while the others could not elect anybody, and says so once"
    if (!leadership.isIdlenessTold) tell(ctx, leadership, forMs, 'stay', null);
    leadership.isIdlenessTold = true;
    return false;
  }
  // cover: a leader without work leaves
  // work.test.ts "steps down when its entries reach nobody although all answer its heartbeats"
  tell(ctx, leadership, forMs, heir === undefined ? 'step-down' : 'transfer', heir ?? null);
  return leave(ctx, leadership, { because: 'work', sinceMs: leadership.workedAtMs }, heir);
}

function othersCanElect(ctx: CoreContext, { progress }: Leadership): boolean {
  return hasQuorum(ctx.voters, (id) => {
    const other = progress.get(id);
    return other !== undefined && answers(ctx, other);
  });
}

function tell(
  ctx: CoreContext,
  leadership: Leadership,
  forMs: number,
  then: 'transfer' | 'step-down' | 'stay',
  successor: NodeId | null,
): void {
  const index = owedIndex(ctx, leadership);
  ctx.event({ type: 'noWork', forMs, index, obstacles: obstacles(ctx, leadership, index), then, successor });
}
