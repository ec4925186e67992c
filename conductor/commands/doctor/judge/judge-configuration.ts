import { failure, ok, warning, type Finding } from './finding.js';

/** What reading flags and environment brought. */
export interface ConfigurationFacts {
  /** Everything that is wrong, each with what to do; empty for one that can be used. */
  problems: readonly string[];
  warnings: readonly string[];
  /** Flags that were given and change nothing. */
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
