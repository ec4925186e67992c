import { describe, expect, it } from '@jest/globals';
import { chooseScenarios } from './choose-scenarios.js';
import { GROUPS } from './scenarios/all-scenarios.js';

const [failures, gray] = GROUPS as [(typeof GROUPS)[0], (typeof GROUPS)[0]];

const chosen = (...names: string[]): Record<string, string[]> =>
  Object.fromEntries(
    chooseScenarios(names).map(({ name, scenarios }) => [name, scenarios.map((each) => each.name)]),
  );

describe('chooseScenarios', () => {
  it('chooses everything when nothing is named', () => {
    expect(chooseScenarios(undefined)).toEqual(GROUPS);
  });

  it('chooses a scenario, those it builds on, and only the start of its group', () => {
    expect(chosen('return')).toEqual({ failures: ['cold-start', 'kill-node', 'return'] });
  });

  it('chooses a whole group by its name, beside scenarios of others', () => {
    const all = gray.scenarios.map(({ name }) => name);
    expect(chosen('transfer', gray.name)).toEqual({
      [failures.name]: ['cold-start', 'transfer'],
      [gray.name]: all,
    });
  });

  it('refuses an unknown name', () => {
    expect(() => chooseScenarios(['transfer', 'nonsense'])).toThrow('"nonsense"');
  });

  it('knows all scenarios and groups by unique names', () => {
    const names = GROUPS.flatMap(({ name, scenarios }) => [name, ...scenarios.map((each) => each.name)]);
    expect(new Set(names).size).toBe(names.length);
  });
});
