import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ProcessCluster } from '../cluster/process-cluster.js';
import { play, type Stage } from './acts.js';
import { CommittedLedger } from './committed-ledger.js';
import { letChildrenDieWithThisProcess } from './die-with-parent.js';
import { show } from './handover.js';
import { Screen } from './screen.js';
import { chainProblems } from './verdict.js';
import { Watcher } from './watcher.js';

const BLOCK_TIME_MS = 1000;
const STOP_WITHIN_MS = 5_000;
const EXIT_INTERRUPTED = 130;
const LOG_LINES_OF_A_FAILURE = 15;
const PROBLEMS_SHOWN = 10;

const { values: options } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const screen = new Screen();
let isInterrupted = false;
/** With --keep, Ctrl-C ends the demo. Before the verdict, it cuts the demo short. */
let codeOnInterrupt = EXIT_INTERRUPTED;

letChildrenDieWithThisProcess();
screen.say('Starting three Batons, each beside a simulated op-node with its execution client; 1 s blocks.');
const starting = new ProcessCluster().start({ size: 3, blockTimeMs: BLOCK_TIME_MS, formation: 'peers' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

process.exit(
  await run().catch(async (error: Error) => {
    // Stopping the cluster makes the current act fail. `interrupt` ends the process.
    if (isInterrupted) return new Promise<never>(() => undefined);
    screen.say(`FAILED: ${reasonOf(error)}`);
    return 1;
  }),
);

/** Returns the exit code. */
async function run(): Promise<number> {
  const cluster = await starting;
  if (isInterrupted) throw new Error('interrupted');
  const ledger = new CommittedLedger();
  const watcher = new Watcher(cluster, ledger);
  const rows = { handovers: [], returns: [] };
  const stage: Stage = { cluster, ledger, watcher, screen, blockTimeMs: BLOCK_TIME_MS, ...rows };
  tellProcesses(cluster);
  watcher.start();
  screen.showNodes(cluster.nodes, watcher);
  const failure = await play(stage).then(
    () => undefined,
    (error: Error) => error,
  );
  screen.stopShowingNodes();
  await watcher.stop();
  if (isInterrupted) throw new Error('interrupted');

  const code = await conclude(stage, failure);
  if (options.keep) await keepRunning(cluster, code);
  await cluster.stop();
  return code;
}

/** Prints the summary and the verdict, and returns the exit code. */
async function conclude(stage: Stage, failure: Error | undefined): Promise<number> {
  const { cluster, ledger, handovers, returns } = stage;
  screen.title('Summary');
  screen.table([
    ['', 'sequencing moved', 'running after', 'first block after', 'that block was'],
    ...handovers,
  ]);
  screen.say(
    '  (Each fault struck half a slot after a block, so the next block was due almost half a second later.)\n',
  );
  screen.table([['', 'node', 'back after', 'after Baton was up', 'blocks missed'], ...returns]);
  if (failure) {
    screen.say(`\nFAILED: ${reasonOf(failure)}`);
    for (const { baton } of cluster.nodes) {
      screen.say(`\nThe last log lines of ${baton.id}:\n${baton.tail(LOG_LINES_OF_A_FAILURE)}`);
    }
  }
  const problems = await chainProblems(cluster, ledger);
  const count = cluster.nodes.length;
  screen.title(
    problems.length > 0 || ledger.highest === undefined
      ? `FAILED: the ${count} nodes do not have exactly what was committed:`
      : `${failure ? 'FAILED, see above. But no' : 'No'} committed block was lost or replaced: all ${count} nodes have the same unbroken chain from block 1 to ` +
          `${show(ledger.highest)}, with every block that was ever committed in its place.`,
  );
  for (const problem of problems.slice(0, PROBLEMS_SHOWN)) screen.say(`  ${problem}`);
  if (problems.length > PROBLEMS_SHOWN) screen.say(`  and ${problems.length - PROBLEMS_SHOWN} more`);
  return failure || problems.length > 0 ? 1 : 0;
}

function tellProcesses(cluster: ProcessCluster): void {
  const nodes = cluster.nodes.map(({ id, baton, devnet }) => [
    id,
    `Baton: pid ${baton.pid}`,
    `op-node and execution client: pid ${devnet.pid}`,
  ]);
  screen.table(nodes);
}

async function keepRunning(cluster: ProcessCluster, code: number): Promise<never> {
  screen.title('The cluster keeps running until Ctrl-C:');
  screen.table([
    ['', 'Baton', 'op-node', 'execution client', 'faults and state'],
    ...cluster.nodes.map(({ id, baton, devnet }) => [
      id,
      baton.rpcUrl,
      devnet.nodeRpc,
      devnet.executionRpc,
      devnet.controlUrl,
    ]),
  ]);
  codeOnInterrupt = code;
  return new Promise<never>(() => undefined);
}

/** Stops every process and removes all data. A second signal does not wait for that. */
function interrupt(): void {
  if (isInterrupted) process.exit(EXIT_INTERRUPTED);
  isInterrupted = true;
  screen.stopShowingNodes();
  screen.say('\nStopping every process ...');
  const stopped = starting.then((cluster) => cluster.stop());
  void Promise.race([stopped, sleep(STOP_WITHIN_MS)])
    .catch(() => undefined)
    .then(() => process.exit(codeOnInterrupt));
}

function reasonOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
