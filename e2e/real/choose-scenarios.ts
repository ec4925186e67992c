import { GROUPS } from './scenarios/all-scenarios.js';
import type { Scenario, ScenarioGroup } from './scenarios/scenario.js';

/**
 * The scenarios with these names, with those that they build on and the first of their group, without which there is no
 * chain; or whole groups. Without names, everything. Throws on an unknown name.
 */
export function chooseScenarios(names: readonly string[] | undefined): readonly ScenarioGroup[] {
  if (names === undefined) return GROUPS;
  const known = GROUPS.flatMap(({ name, scenarios }) => [name, ...scenarios.map((each) => each.name)]);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no scenario "${unknown}": ${known.join(', ')}`);
  return GROUPS.map((group) =>
    names.includes(group.name) ? group : { ...group, scenarios: chosen(group, names) },
  ).filter(({ scenarios }) => scenarios.length > 0);
}

function chosen({ scenarios }: ScenarioGroup, names: readonly string[]): Scenario[] {
  const wanted = new Set<Scenario>();
  const choose = (scenario: Scenario): void => {
    wanted.add(scenario);
    const before = scenarios.find(({ name }) => name === scenario.after);
    if (before) choose(before);
  };
  scenarios.filter(({ name }) => names.includes(name)).forEach(choose);
  return wanted.size === 0 ? [] : scenarios.filter((each, index) => index === 0 || wanted.has(each));
}
