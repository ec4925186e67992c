/** The invariant that each scenario breaks, by name, from what `--scenario all` prints. */
export function outcomesIn(output: string): ReadonlyMap<string, string | undefined> {
  const outcomes = new Map<string, string | undefined>();
  for (const [, name = ''] of output.matchAll(/^passes: (.*)$/gm)) outcomes.set(name, undefined);
  for (const [, name = '', invariant] of output.matchAll(/^FAILS: (.*)\n {2}([\w-]+): /gm)) {
    outcomes.set(name, invariant);
  }
  return outcomes;
}
