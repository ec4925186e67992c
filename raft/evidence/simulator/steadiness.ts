import { check } from '../checks/violation.js';
import { majorityOf } from './gray-failures.js';
import type { SimulatedNode } from './node.js';
import { describe, runUntil } from './settling.js';
import type { World } from './world.js';

/** Keeps the leader among them busy until stopped, with one proposal at a time, like a sequencer. */
export function keepProposing(world: World, nodes: readonly SimulatedNode[], isOver: () => boolean): void {
  world.queue.after(world.options.timing.electionTimeoutMs / 2, () => {
    if (isOver()) return;
    for (const node of nodes) {
      const ctx = node.process?.ctx;
      if (ctx?.role === 'leader' && ctx.commit === ctx.log.lastIndex) world.workload.propose(node);
    }
    keepProposing(world, nodes, isOver);
  });
}

/** A majority has slow disks for this many election timeouts. */
const SLOW_FOR_TIMEOUTS = 200;

/**
 * I22: leadership does not move around because a majority of disks is slower than elections. Each node gives up after 4, 8
 * and 16 election timeouts. Then its patience is 32, which is enough for two writes and an answer.
 */
export function demandSteadiness(world: World, core: readonly SimulatedNode[]): void {
  const { rng, options, queue, counts, ledger } = world;
  const { electionTimeoutMs } = options.timing;
  const leaderships = (): number => counts.get('leadership') ?? 0;
  const before = { leaderships: leaderships(), committed: ledger.lastIndex };
  const writeMs = rng.between(1, 5) * electionTimeoutMs;
  world.trace.note(queue.nowMs, `a majority of disks takes ${Math.round(writeMs)} ms`);
  world.options = { ...options, disk: { ...options.disk, writeMinMs: 1, writeMeanMs: 0.1 } };
  for (const node of majorityOf(core, rng)) node.diskFactor = writeMs;
  let done = false;
  keepProposing(world, core, () => done);
  runUntil(world, () => false, SLOW_FOR_TIMEOUTS * electionTimeoutMs);
  done = true;
  const changes = leaderships() - before.leaderships;
  check(
    changes <= 3 * world.nodes.length + 1,
    'I22',
    () => `leadership went round ${changes} times while disks were slow: ${describe(core)}`,
  );
  check(
    ledger.lastIndex > before.committed,
    'I22',
    () => `nothing was committed while disks were slow: ${describe(core)}`,
  );
  world.options = options;
  for (const node of core) node.diskFactor = 1;
  for (const node of core) node.writer.hurry();
}
