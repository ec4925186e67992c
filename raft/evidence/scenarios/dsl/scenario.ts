import { describe, it } from '@jest/globals';
import { honestHost, type CoreHost } from '../../simulator/core-host.js';
import { loadMutant } from '../../simulator/mutants/load-mutant.js';
import { mutants, type Mutant } from '../../simulator/mutants/mutants.js';
import type { Patch } from '../../simulator/mutants/patched.js';
import type { ClusterOptions } from './calm-options.js';
import type { Bug, CatalogueEntry } from './catalogue.js';
import { ScenarioCluster } from './scenario-cluster.js';
import { expectTold, transcriptOf } from './transcript.js';

export interface ScenarioOptions extends ClusterOptions, Bug {
  /** What goes right here. */
  title: string;
  /** Puts the bug back, so that the scenario must fail: a mutant of the simulator, or its own patches. */
  mutant?: string | readonly Patch[];
}

/** All bugs of the catalogue, in the order of the files. */
export const catalogue: CatalogueEntry[] = [];

/** The source of the scenarios that are being loaded. */
let source = '';

/** Loads the scenarios of one file, so that the catalogue can say where they are. */
export async function loadScenarios(file: string, load: () => Promise<unknown>): Promise<void> {
  source = file;
  await load();
}

/**
 * A bug of another implementation, as a story on our core. With the bug put back, the story must fail. What happens is
 * compared with a committed transcript.
 */
export function scenario(options: ScenarioOptions, play: (cluster: ScenarioCluster) => void): void {
  const { bug, title, seen, mutant } = options;
  const file = transcriptOf(bug, title);
  const putBack = typeof mutant === 'string' ? named(mutant) : mutant && ownMutant(bug, mutant);
  const patched = (putBack?.patches ?? []).map((patch) => `core/${patch.file}`);
  const guardedIn = [...(options.guardedIn ?? []), ...patched];
  catalogue.push({ ...options, guardedIn, story: { title, source, transcript: file } });
  const run = (coreHost: CoreHost): ScenarioCluster => {
    const cluster = new ScenarioCluster(options, coreHost);
    try {
      play(cluster);
    } catch (error) {
      if (error instanceof Error) error.message += `\n\n${cluster.lastEvents.join('\n')}`;
      throw error;
    }
    return cluster;
  };
  describe(`no. ${bug}: ${title} (${seen})`, () => {
    it('holds', () => expectTold(file, run(honestHost).story));
    if (!putBack) return;
    it(`fails with the bug put back${typeof mutant === 'string' ? `: ${mutant}` : ''}`, async () => {
      const coreHost = await loadMutant(putBack);
      if (!failureOf(() => run(coreHost))) throw new Error('the scenario does not notice the bug');
    });
  });
}

/** A bug below the core: a story on real disks, sockets or processes. */
export function realScenario(
  { title, ...bug }: Bug & Pick<ScenarioOptions, 'title'>,
  play: () => Promise<void>,
): void {
  catalogue.push({ ...bug, story: { title, source } });
  it(`no. ${bug.bug}: ${title} (${bug.seen})`, play);
}

/** A bug that cannot be played here. */
export function withoutScenario({ reason, ...bug }: Bug & { reason: string }): void {
  catalogue.push({ ...bug, reason });
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
