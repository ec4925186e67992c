import { hideCredentials } from '../../common/endpoint.js';
import { variableName, type FlagName, type FlagValues } from './flag-table.js';

/** A condition that the values must not meet. */
export interface Rule {
  flags: readonly [FlagName, ...FlagName[]];
  violated: (values: FlagValues) => boolean;
  /** op-conductor's text where it has one, since scripts look for it. */
  text: string | ((values: FlagValues) => string);
  remedy: string | ((values: FlagValues) => string);
}

/** One problem of the configuration. */
export interface ConfigProblem {
  /** The settings concerned; empty for an argument that is not a setting. */
  flags: readonly FlagName[];
  /** What is wrong, what to do, and the flags and variables to do it with. Contains op-conductor's own text, if any. */
  message: string;
}

/**
 * @param text what is wrong
 * @param remedy what to do about it
 */
export function configProblem(flags: readonly FlagName[], text: string, remedy: string): ConfigProblem {
  const names = flags.map((name) => `--${name} or ${variableName(name)}`).join(', ');
  // The text may quote something that was misplaced, such as a URL with its password.
  const told = hideCredentials(`${text}: ${remedy}`);
  return { flags, message: names === '' ? told : `${told} (${names})` };
}

/** The configuration cannot be used; `problems` lists everything that is wrong with it, at least one. */
export class ConfigError extends Error {
  readonly code = 'invalid-config';

  constructor(readonly problems: readonly ConfigProblem[]) {
    const messages = problems.map(({ message }) => message);
    super(
      messages.length === 1
        ? messages[0]
        : [`${messages.length} problems with the configuration:`, ...messages].join('\n  - '),
    );
    this.name = 'ConfigError';
  }
}
