import type { CoreContext } from '../../../core/context.js';
import type { Limits } from '../../../core/options.js';
import type { Progress } from '../../../core/progress.js';
import { check } from '../../checks/violation.js';
import type { Invariant } from './invariant.js';

/** Longer logs are not summed up, because that would take too long. */
const CACHE_CHECKED_MAX = 64;

/** I21 Bounded: what waits for a commit or an answer stays within the declared limits. */
export function bounded(): Invariant {
  return {
    stepped({ node, ctx, input }) {
      const { leadership, limits, log } = ctx;
      if (input.type === 'applied' && log.length <= CACHE_CHECKED_MAX) checkCache(node.id, ctx);
      if (!leadership) return;
      const { pending, uncommittedBytes } = leadership;
      check(
        // One membership change is admitted beside the proposals.
        pending.size <= limits.uncommittedEntriesMax + 1,
        'I21',
        () => `${node.id} has ${pending.size} uncommitted proposals`,
      );
      check(uncommittedBytes >= 0, 'I21', () => `${node.id} counts ${uncommittedBytes} uncommitted bytes`);
      if (ctx.commit === log.lastIndex) {
        check(
          uncommittedBytes === 0 && pending.size === 0,
          'I21',
          () =>
            `all is committed on ${node.id}, yet ${uncommittedBytes} bytes and ${pending.size} proposals wait`,
        );
      }
      for (const [id, progress] of leadership.progress) {
        checkInflight(node.id, id, progress, limits);
        const { match, next } = progress;
        check(
          match < next && match <= log.lastIndex,
          'I21',
          () => `${node.id}: ${id} has match ${match}, next ${next}`,
        );
      }
    },
  };
}

function checkInflight(node: string, peer: string, progress: Progress, limits: Limits): void {
  const { inflightRequests, inflightBytes } = progress;
  check(
    inflightRequests <= Math.max(1, limits.inflightRequestsMax),
    'I21',
    () => `${node} has ${inflightRequests} requests to ${peer} under way`,
  );
  // The last one may exceed the limit, if there was room before it was sent.
  const last = progress['inflight'].at(-1)?.bytes ?? 0;
  check(
    inflightRequests <= 1 || inflightBytes - last < limits.inflightBytesMax,
    'I21',
    () => `${node} has ${inflightBytes} bytes to ${peer} under way`,
  );
}

function checkCache(node: string, { log, limits, applied, outbox }: CoreContext): void {
  let cached = 0;
  let needed = 0;
  for (let index = log.snapshotIndex + 1; index <= log.lastIndex; index++) {
    const entry = log.get(index);
    if (!entry?.data) continue;
    cached += entry.byteLength;
    if (index > Math.min(applied, outbox.durableIndex)) needed += entry.byteLength;
  }
  check(
    cached <= Math.max(limits.cacheBytesMax, needed),
    'I21',
    () => `${node} keeps ${cached} bytes of entries in memory, needs ${needed}`,
  );
}
