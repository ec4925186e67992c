import { describe, it } from '@jest/globals';
import { faithfulHosting, type Hosting } from '../../simulator/hosting.js';
import { loadMutant } from '../../simulator/mutants/load-mutant.js';
import { mutants, type Mutant } from '../../simulator/mutants/mutants.js';
import type { Patch } from '../../simulator/mutants/patched.js';
import type { ClusterOptions } from './calm-options.js';
import { ScenarioCluster } from './scenario-cluster.js';
import { expectTold, transcriptOf } from './transcript.js';

export interface ScenarioOptions extends ClusterOptions {
  /** Number in raft.md §2. */
  bug: number;
  /** What goes right here. */
  title: string;
  /** Where the bug was seen. */
  seen: string;
  /** Puts the bug back, so that the scenario must fail: a mutant of the simulator, or patches of its own. */
  mutant?: string | readonly Patch[];
}

/** Numbers of the bugs that have a scenario. */
export const covered = new Set<number>();

/**
 * A bug of another implementation, told as a story on our core; with the bug put back, the story must go wrong. What
 * happens is held against a committed transcript.
 */
export function scenario(options: ScenarioOptions, play: (cluster: ScenarioCluster) => void): void {
  const { bug, title, seen, mutant } = options;
  covered.add(bug);
  const file = transcriptOf(bug, title);
  const run = (hosting: Hosting): ScenarioCluster => {
    const cluster = new ScenarioCluster(options, hosting);
    try {
      play(cluster);
    } catch (error) {
      if (error instanceof Error) error.message += `\n\n${cluster.lastEvents.join('\n')}`;
      throw error;
    }
    return cluster;
  };
  describe(`bug ${bug}: ${title} (${seen})`, () => {
    it('holds', () => expectTold(file, run(faithfulHosting).story));
    if (!mutant) return;
    it(`fails with the bug put back${typeof mutant === 'string' ? `: ${mutant}` : ''}`, async () => {
      const hosting = await loadMutant(typeof mutant === 'string' ? named(mutant) : ownMutant(bug, mutant));
      if (!failureOf(() => run(hosting))) throw new Error('the scenario does not notice the bug');
    });
  });
}

/** A bug below the core: a story on real disks, sockets or processes. */
export function realScenario(
  { bug, title, seen }: Pick<ScenarioOptions, 'bug' | 'title' | 'seen'>,
  play: () => Promise<void>,
): void {
  covered.add(bug);
  it(`bug ${bug}: ${title} (${seen})`, play);
}

function named(name: string): Mutant {
  const found = mutants.find((mutant) => mutant.name === name);
  if (!found) throw new Error(`no mutant is called "${name}"`);
  return found;
}

const ownMutant = (bug: number, patches: readonly Patch[]): Mutant => ({ name: `bug ${bug}`, bug, patches });

function failureOf(run: () => void): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
