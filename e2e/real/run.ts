import { HeadSampler } from './head-sampler.js';
import { longestGap } from './longest-gap.js';
import { L1Watch } from './l1-watch.js';
import type { RealNetwork } from './network.js';
import { SCENARIOS } from './scenarios/all-scenarios.js';
import type { Scenario } from './scenarios/scenario.js';
import { inSeconds, type Stage } from './stage.js';
import { BackgroundTransactions } from './transactions.js';
import { verify } from './verify.js';

/**
 * The scenarios with these names, those whose aftermath they need, and the first one, without which there is
 * no chain; all when no names are given. Throws on an unknown name.
 */
export function chooseScenarios(names: readonly string[] | undefined): readonly Scenario[] {
  if (names === undefined) return SCENARIOS;
  const chosen = new Set(SCENARIOS.slice(0, 1));
  const choose = (name: string): void => {
    const scenario = SCENARIOS.find((each) => each.name === name);
    if (scenario === undefined)
      throw new Error(`no scenario "${name}": ${SCENARIOS.map((each) => each.name).join(', ')}`);
    if (scenario.after !== undefined) choose(scenario.after);
    chosen.add(scenario);
  };
  names.forEach(choose);
  return SCENARIOS.filter((scenario) => chosen.has(scenario));
}

/**
 * Runs the scenarios one after the other, each followed by {@link verify}, prints what happens and the closing
 * count, and returns how many failed. The first failure ends the run: what follows builds on what came before.
 */
export async function runScenarios(
  network: RealNetwork,
  scenarios: readonly Scenario[],
  say: (line: string) => void,
): Promise<number> {
  const sampler = new HeadSampler(network.nodes, network.seen);
  const background = new BackgroundTransactions(network.nodes, network.backgroundKey);
  const l1 = new L1Watch(
    network.l1Url,
    () => network.restartL1(),
    (line) => say(`  ${line}`),
  );
  const stage: Stage = { network, say: (line: string) => say(`  ${line}`) };
  let passed = 0;
  for (const scenario of scenarios) {
    say(scenario.title);
    const startedAt = performance.now();
    try {
      await scenario.run(stage);
      await verify(stage);
      passed++;
      tellLongestGap(stage, startedAt);
      stage.say(`passed after ${inSeconds(performance.now() - startedAt)}`);
    } catch (error) {
      stage.say(`FAILED after ${inSeconds(performance.now() - startedAt)}`);
      say(error instanceof Error ? error.message : String(error));
      tellConductorLogs(network, say);
      break;
    }
  }
  await Promise.all([sampler.stop(), background.stop(), l1.stop()]);
  const failed = passed < scenarios.length ? 1 : 0;
  const notRun = scenarios.slice(passed + failed).map((scenario) => scenario.name);
  if (notRun.length > 0) say(`not run: ${notRun.join(', ')}`);
  say(`real programs: ${passed} passed, ${failed} failed`);
  return failed;
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
