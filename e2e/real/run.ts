import { HeadSampler } from './head-sampler.js';
import { longestGap } from '../cluster/longest-gap.js';
import { L1Watch } from './l1-watch.js';
import type { RealNetwork } from './network.js';
import type { Scenario } from './scenarios/scenario.js';
import { inSeconds, type Stage } from './stage.js';
import { BackgroundTransactions } from './transactions.js';
import { verify } from './verify.js';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Runs the scenarios one after the other, each followed by {@link verify}, prints what happens, and counts.
 * The first failure ends the run: what follows builds on what came before.
 */
export async function runScenarios(
  network: RealNetwork,
  scenarios: readonly Scenario[],
  say: (line: string) => void,
): Promise<Counts> {
  const sampler = new HeadSampler(network.nodes, network.seen);
  const background = new BackgroundTransactions(network.nodes, network.backgroundKey);
  const l1 = new L1Watch(
    network.l1Url,
    () => network.restartL1(),
    (line) => say(`  ${line}`),
  );
  const stage: Stage = { network, say: (line: string) => say(`  ${line}`) };
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const scenario of scenarios) {
    say(scenario.title);
    const lack = scenario.lacks?.();
    if (lack !== undefined) {
      stage.say(`skipped: ${lack}`);
      counts.skipped++;
      continue;
    }
    const startedAt = performance.now();
    try {
      await scenario.run(stage);
      await verify(stage);
      counts.passed++;
      tellLongestGap(stage, startedAt);
      stage.say(`passed after ${inSeconds(performance.now() - startedAt)}`);
    } catch (error) {
      stage.say(`FAILED after ${inSeconds(performance.now() - startedAt)}`);
      say(error instanceof Error ? error.message : String(error));
      tellConductorLogs(network, say);
      counts.failed++;
      break;
    }
  }
  await Promise.all([sampler.stop(), background.stop(), l1.stop()]);
  const notRun = scenarios.slice(counts.passed + counts.failed + counts.skipped);
  if (notRun.length > 0) say(`not run: ${notRun.map(({ name }) => name).join(', ')}`);
  return counts;
}

function tellLongestGap({ network, say }: Stage, fromMs: number): void {
  const { acknowledged } = network.witness;
  const gap = longestGap(
    acknowledged.map(({ atMs }) => atMs),
    fromMs,
    performance.now(),
  );
  const next = acknowledged.find(({ atMs }) => atMs > gap.sinceMs);
  say(`longest time without a block: ${inSeconds(gap.ms)}${next ? `, before block ${next.number}` : ''}`);
}

function tellConductorLogs(network: RealNetwork, say: (line: string) => void): void {
  for (const name of network.programs.names().filter((each) => each.startsWith('conductor'))) {
    say(`--- last lines of ${name}`);
    say(network.programs.logTail(name));
  }
}
