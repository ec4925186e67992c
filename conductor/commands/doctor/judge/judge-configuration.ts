import { failure, ok, warning, type Finding } from './finding.js';

/** The result of reading flags and environment. */
export interface ConfigurationFacts {
  /** All problems, each with what to do; empty if it can be used. */
  problems: readonly string[];
  warnings: readonly string[];
  /** Flags that were given but have no effect. */
  idle: readonly string[];
}

export function judgeConfiguration({ problems, warnings, idle }: ConfigurationFacts): Finding[] {
  const found = [
    ...problems.map((text) => failure('configuration', 'invalid-config', text)),
    ...warnings.map((text) => warning('configuration', 'config-warning', text)),
    ...idle.map((name) => warning('configuration', 'flag-without-effect', `--${name} has no effect`)),
  ];
  return found.length > 0 ? found : [ok('configuration', 'flags and environment can be used')];
}
