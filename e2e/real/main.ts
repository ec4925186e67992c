import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { buildPrograms } from './build-programs.js';
import { RealNetwork } from './network.js';
import { chooseScenarios, runScenarios } from './run.js';
import { stayUp } from './stay-up.js';

const BATON = path.join(repositoryRoot, 'dist/conductor/main.js');

const { values: options } = parseArgs({
  options: {
    conductor: { type: 'string' },
    'start-by-hand': { type: 'boolean', default: false },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
    up: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => console.log(line);

/** Replaced when there are programs to stop; a build stops by itself at exit. */
let stopPrograms = async (): Promise<void> => {};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void stopPrograms().then(() => process.exit(130)));
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
  const scenarios = chooseScenarios(options.only?.split(','));
  const conductor = options.conductor?.trim().split(/\s+/) ?? [process.execPath, BATON, 'run'];
  if (options.conductor === undefined && !existsSync(BATON)) {
    throw new Error(`${BATON} is missing: run "npm run build" first`);
  }

  const programs = await buildPrograms(path.join(repositoryRoot, '.cache', 'real'), say);
  if (programs.kind === 'unavailable') {
    say(`skipped: ${programs.reason}`);
    say('real programs: 0 passed, 0 failed (skipped)');
    return 0;
  }

  const folder = mkdtempSync(path.join(os.tmpdir(), 'baton-real-'));
  const network = await RealNetwork.plan({
    programFolder: programs.folder,
    conductor,
    folder,
    startByHand: options['start-by-hand'],
  });
  let keepLogs = true;
  process.once('exit', () => leaveNothingBehind(network, folder, keepLogs));
  stopPrograms = async () => {
    keepLogs = false;
    network.programs.killAll();
    await network.programs.allEnded();
  };

  if (options.up) return stayUp(network, say);
  const failed = await runScenarios(network, scenarios, say);
  keepLogs = failed > 0;
  network.programs.killAll();
  await network.programs.allEnded();
  return failed > 0 ? 1 : 0;
}

/** Ends every program and removes its data; a run that failed leaves its logs. Synchronous, for the exit handler. */
function leaveNothingBehind(network: RealNetwork, folder: string, keepLogs: boolean): void {
  network.programs.killAll();
  if (options.keep) {
    say(`everything is kept in ${folder}`);
    return;
  }
  const removed = keepLogs ? network.chainFolder : folder;
  rmSync(removed, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  if (keepLogs) say(`logs are in ${network.logFolder}`);
}
