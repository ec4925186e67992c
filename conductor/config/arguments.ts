import { configProblem, type ConfigProblem } from './config-error.js';
import { flagNames, flags, namesOf, type FlagName } from './flag-table.js';
import { similarFlag } from './similar-flag.js';
import { boolean } from './value-types.js';

interface Arguments {
  /** Text of every flag that was given; the last one wins. */
  given: Map<FlagName, string>;
  help: boolean;
  version: boolean;
  problems: ConfigProblem[];
}

const flagByName = new Map(flagNames.flatMap((name) => namesOf(name).map((alias) => [alias, name] as const)));

/**
 * Splits a command line by the rules of Go's `flag` package, which op-conductor's users expect: one dash or two,
 * `-name value` or `-name=value`, and a boolean takes a value only with `=`. (The option parsers of Node read one
 * dash as a group of one-letter options.) Continues after an error, to find all of them.
 */
export function readArguments(argv: readonly string[]): Arguments {
  const result: Arguments = { given: new Map(), help: false, version: false, problems: [] };
  const queue = [...argv];
  while (queue.length > 0) {
    const argument = queue.shift()!;
    const [, name, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === undefined) {
      result.problems.push(unexpected(argument));
    } else if (name === 'help' || name === 'h') {
      result.help = true;
    } else if (name === 'version' || name === 'v') {
      result.version = true;
    } else {
      readFlag(name, inline, queue, result);
    }
  }
  return result;
}

function readFlag(
  name: string,
  inline: string | undefined,
  queue: string[],
  { given, problems }: Arguments,
): void {
  const flagName = flagByName.get(name);
  if (flagName === undefined) {
    const similar = similarFlag(name);
    const remedy = similar === undefined ? 'see --help for all flags' : `did you mean ${similar}?`;
    problems.push(configProblem([], `flag provided but not defined: -${name}`, remedy));
    // What follows is most likely its value, and would only be reported a second time.
    if (inline === undefined && queue[0] !== undefined && !queue[0].startsWith('-')) queue.shift();
    return;
  }
  if (inline !== undefined) {
    given.set(flagName, inline);
  } else if (flags[flagName].type === boolean) {
    given.set(flagName, 'true');
  } else if (queue.length > 0) {
    given.set(flagName, queue.shift()!);
  } else {
    problems.push(configProblem([flagName], `flag needs an argument: -${name}`, 'give its value'));
  }
}

function unexpected(argument: string): ConfigProblem {
  return configProblem(
    [],
    `unexpected argument ${JSON.stringify(argument)}`,
    'settings are flags; the value of a boolean follows "=", as in --paused=true',
  );
}
