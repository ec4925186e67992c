import { check } from '../checks/violation.js';
import type { Machine, Process } from './machine.js';
import type { NodeEnvironment } from './node-environment.js';

const APPLIED_AT_ONCE_MAX = 64;

/** Applies committed entries on a machine, some at a time, and makes snapshots. */
export class Applier {
  constructor(
    private readonly world: NodeEnvironment,
    private readonly machine: Machine,
  ) {}

  /** Schedules the next entries, unless everything is applied or about to be. */
  applyLater(): void {
    const { world, machine } = this;
    const { process } = machine;
    if (!process || process.applying || process.application.index >= process.ctx.commit) return;
    process.applying = true;
    world.queue.after(world.rng.exponential(world.options.application.applyMeanMs), () => {
      process.applying = false;
      if (machine.process === process) this.apply(process);
    });
  }

  private apply(process: Process): void {
    const { world, machine } = this;
    const { application, ctx } = process;
    if (process.pausedSinceMs === null) {
      const upTo = Math.min(ctx.commit, application.index + world.rng.int(1, APPLIED_AT_ONCE_MAX));
      if (application.index < upTo) {
        while (application.index < upTo) {
          const index = application.index + 1;
          const data = machine.dataOf(ctx, index);
          check(
            data !== undefined,
            'storage',
            () => `${machine.id} has lost the data of committed entry ${index}`,
          );
          application.apply(data);
          world.applied(machine, index, data);
        }
        machine.receive({ type: 'applied', index: upTo });
        this.maybeCompact();
      }
    }
    this.applyLater();
  }

  private maybeCompact(): void {
    const { world, machine } = this;
    const { process } = machine;
    if (!process) return;
    const { application, ctx } = process;
    const from = ctx.log.snapshotIndex;
    if (application.index - from < world.options.application.compactEvery) return;
    const index = world.rng.int(from + 1, application.index);
    machine.receive({ type: 'compact', index, data: application.snapshotAt(index) });
  }
}
