import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { buildPrograms } from './build-programs.js';
import { chooseScenarios } from './choose-scenarios.js';
import type { RealNetwork } from './network.js';
import { runScenarios, type Counts } from './run.js';
import type { ScenarioGroup } from './scenarios/scenario.js';
import { stayUp } from './stay-up.js';
import { LOOPBACK, type Environment } from './environment.js';
import { TemporaryNetwork } from './temporary-network.js';

const BATON = path.join(repositoryRoot, 'dist/conductor/main.js');

const { values: options } = parseArgs({
  options: {
    conductor: { type: 'string' },
    'start-by-hand': { type: 'boolean', default: false },
    only: { type: 'string' },
    build: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    up: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => console.log(line);

/** The current network. */
let running: TemporaryNetwork | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    const ended = running?.end(options.keep ? 'everything' : 'nothing');
    void Promise.resolve(ended).then(() => process.exit(130));
  });
}

process.exit(
  await main().catch((error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    say('real programs: 0 passed, 1 failed');
    return 1;
  }),
);

/** Returns the exit code: 0 when everything passed, or when this machine cannot build the programs. */
async function main(): Promise<number> {
  const groups = chooseScenarios(options.only?.split(','));
  if (!options.build && options.conductor === undefined && !existsSync(BATON)) {
    throw new Error(`${BATON} is missing: run "npm run build" first`);
  }

  const programs = await buildPrograms(path.join(repositoryRoot, '.cache', 'real'), say);
  if (options.build) {
    say(programs.kind === 'ready' ? `the programs are in ${programs.folder}` : `skipped: ${programs.reason}`);
    return 0;
  }
  if (programs.kind === 'unavailable') {
    say(`skipped: ${programs.reason}`);
    say('real programs: 0 passed, 0 failed (skipped)');
    return 0;
  }

  if (options.up) return stayUp(await networkIn(LOOPBACK, programs.folder), say);
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const group of groups) {
    const { passed, failed, skipped } = await runGroup(group, programs.folder);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  say(`real programs: ${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed > 0 ? 1 : 0;
}

/** Runs the scenarios of a group on a network of their own. */
async function runGroup(group: ScenarioGroup, programFolder: string): Promise<Counts> {
  const { scenarios } = group;
  const lack = group.lacks();
  if (lack !== undefined) {
    say(`skipped: ${scenarios.map(({ name }) => name).join(', ')}: ${lack}`);
    return { passed: 0, failed: 0, skipped: scenarios.length };
  }
  const network = await networkIn(await group.environment(), programFolder);
  const counts = await runScenarios(network, scenarios, say);
  const remains = counts.failed > 0 ? 'logs' : 'nothing';
  await running?.end(options.keep ? 'everything' : remains);
  return counts;
}

async function networkIn(environment: Environment, programFolder: string): Promise<RealNetwork> {
  const conductor = options.conductor?.trim().split(/\s+/) ?? [process.execPath, BATON, 'run'];
  const startByHand = options['start-by-hand'];
  try {
    running = await TemporaryNetwork.plan({ programFolder, conductor, environment, startByHand }, say);
    return running.network;
  } catch (error) {
    environment.remove();
    throw error;
  }
}
