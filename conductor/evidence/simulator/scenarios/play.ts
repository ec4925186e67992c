import { runSeed, type RunResult } from '../run.js';
import { QUIET_OPTIONS, type Scenario } from './scenario.js';

/** Plays a scenario, then lets the cluster continue. */
export function play(scenario: Scenario, print?: (line: string) => void): Promise<RunResult> {
  return runSeed({
    seed: 1,
    chaosSteps: 0,
    options: { ...QUIET_OPTIONS, ...scenario.options },
    script: (world) => scenario.play(world),
    ...(print && { print }),
  });
}
