import type { Machine } from './machine.js';
import type { NodeEnvironment } from './node-environment.js';

/**
 * One timer for each machine, for the earliest deadline. If the deadline has moved, the timer re-arms itself when it
 * fires.
 */
export class WakeUpTimer {
  constructor(
    private readonly world: NodeEnvironment,
    private readonly machine: Machine,
  ) {}

  /** The clock leaped or changed its rate. */
  restart(): void {
    const { process } = this.machine;
    if (!process) return;
    process.wakeAtMs = Infinity;
    this.arm();
  }

  arm(): void {
    const { world, machine } = this;
    const { process } = machine;
    if (!process || process.pausedSinceMs !== null) return;
    const dueMs = machine.clock.worldTimeOf(process.core.nextDeadlineMs());
    if (dueMs === Infinity || dueMs >= process.wakeAtMs) return;
    // Slightly later, so that rounding cannot make the clock show less than the deadline.
    const late = world.rng.next() * world.options.clock.timerLatenessMaxMs + 0.001;
    const wakeAtMs = Math.max(dueMs, world.queue.nowMs) + late;
    process.wakeAtMs = wakeAtMs;
    world.queue.at(wakeAtMs, () => {
      if (machine.process !== process || process.wakeAtMs !== wakeAtMs) return;
      process.wakeAtMs = Infinity;
      if (process.pausedSinceMs !== null) return;
      if (machine.clock.at(world.queue.nowMs) >= process.core.nextDeadlineMs())
        machine.receive({ type: 'tick' });
      else this.arm();
    });
  }
}
