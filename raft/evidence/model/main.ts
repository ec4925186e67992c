import { parseArgs } from 'node:util';
import { honestHost } from '../simulator/core-host.js';
import { loadMutant } from '../simulator/mutants/load-mutant.js';
import { mutants } from '../simulator/mutants/mutants.js';
import { SMALL, type Bounds } from './bounds.js';
import { explore } from './explore.js';
import { STARTING_POINTS } from './starting-points.js';

const USAGE = `usage: npm run model -- [--start ${STARTING_POINTS.map(({ name }) => name).join('|')}] [--mutant NAME]
  [--depth N] [--elections N] [--proposals N] [--crashes N] [--duplicates N] [--failures N] [--heartbeats N]
  [--changes N] [--compactions N] [--states N]`;

const { values } = parseArgs({
  options: {
    start: { type: 'string' },
    mutant: { type: 'string' },
    depth: { type: 'string' },
    elections: { type: 'string' },
    proposals: { type: 'string' },
    crashes: { type: 'string' },
    duplicates: { type: 'string' },
    failures: { type: 'string' },
    heartbeats: { type: 'string' },
    changes: { type: 'string' },
    compactions: { type: 'string' },
    states: { type: 'string' },
  },
});

const write = (line: string): void => void process.stdout.write(`${line}\n`);

function numberOr(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text)) throw new Error(USAGE);
  return Number(text);
}

const bounds: Bounds = {
  depth: numberOr(values.depth, SMALL.depth),
  elections: numberOr(values.elections, SMALL.elections),
  proposals: numberOr(values.proposals, SMALL.proposals),
  crashes: numberOr(values.crashes, SMALL.crashes),
  duplicates: numberOr(values.duplicates, SMALL.duplicates),
  failures: numberOr(values.failures, SMALL.failures),
  heartbeats: numberOr(values.heartbeats, SMALL.heartbeats),
  changes: numberOr(values.changes, SMALL.changes),
  compactions: numberOr(values.compactions, SMALL.compactions),
  statesMax: numberOr(values.states, SMALL.statesMax),
};

const mutant = mutants.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && !mutant) throw new Error(`no mutant is called ${values.mutant}`);
const coreHost = mutant ? await loadMutant(mutant) : honestHost;
const starts = STARTING_POINTS.filter(({ name }) => values.start === undefined || name === values.start);
if (starts.length === 0) throw new Error(USAGE);

for (const start of starts) {
  const startedMs = performance.now();
  const found = explore(start, bounds, coreHost);
  const seconds = (performance.now() - startedMs) / 1000;
  write(
    `${start.name}: ${found.states} states, ${found.transitions} transitions, depth ${found.depth}, ` +
      `${found.nodeStates} states of nodes, ${found.coreSteps} core steps, ${seconds.toFixed(1)} s` +
      `${found.complete || found.violation ? '' : ' (not all: too many states)'}`,
  );
  if (!found.violation) continue;
  write(`  ${found.violation.what}`);
  for (const event of found.violation.events) write(`    ${event}`);
  process.exitCode = 1;
}
