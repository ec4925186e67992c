import { readArguments } from './arguments.js';
import { configProblem, type ConfigProblem } from './config-error.js';
import {
  flagNames,
  flags,
  isConductorVariable,
  namesOf,
  variableName,
  type Flag,
  type FlagName,
  type FlagValues,
} from './flag-table.js';

export type Environment = Readonly<Record<string, string | undefined>>;

interface ReadValues {
  values: FlagValues;
  /** The values that were set by flag or variable, as opposed to defaults. */
  explicit: Partial<FlagValues>;
  /** Flags whose value is unknown, because it is missing or cannot be read: rules cannot judge them. */
  unknown: ReadonlySet<FlagName>;
  problems: ConfigProblem[];
  warnings: string[];
  help: boolean;
  version: boolean;
}

/** The value of every flag: from the command line, else from the environment, else the default. */
export function readValues(argv: readonly string[], env: Environment): ReadValues {
  const { given, help, version, problems } = readArguments(argv);
  const values: Partial<Record<FlagName, unknown>> = {};
  const explicit: Partial<Record<FlagName, unknown>> = {};
  const unknown = new Set(problems.flatMap((problem) => problem.flags));
  const isWitness = readWitness(given, env);

  for (const name of flagNames) {
    const flag = flags[name] as Flag<unknown, null>;
    values[name] = flag.byDefault;
    if (unknown.has(name)) continue;
    const source = fromArguments(name, given) ?? fromEnvironment(name, env);
    if (source === null) {
      if (flag.required === undefined || (flag.required === 'with-node' && isWitness)) continue;
      problems.push(
        configProblem(
          [name],
          `failed to setup: failed to read config: missing required flags: flag ${name} is required`,
          `give ${flag.usage}`,
        ),
      );
      unknown.add(name);
      continue;
    }
    const parsed = flag.type.schema.safeParse(source.text);
    if (parsed.success) {
      values[name] = explicit[name] = parsed.data;
    } else {
      const text = `invalid value ${JSON.stringify(source.text)} for flag -${name}${source.from}`;
      problems.push(configProblem([name], text, `expected ${flag.type.expected}`));
      unknown.add(name);
    }
  }
  return {
    values: values as FlagValues,
    explicit: explicit as Partial<FlagValues>,
    unknown,
    problems,
    warnings: unknownVariables(env),
    help,
    version,
  };
}

/** Read before the others, since it decides which settings are required. */
function readWitness(given: ReadonlyMap<FlagName, string>, env: Environment): boolean {
  const source = fromArguments('witness', given) ?? fromEnvironment('witness', env);
  return source !== null && flags.witness.type.schema.safeParse(source.text).data === true;
}

interface Source {
  text: string;
  /** For the error text: the source of the value, if that is not the flag itself. */
  from: string;
}

function fromArguments(name: FlagName, given: ReadonlyMap<FlagName, string>): Source | null {
  const text = given.get(name);
  return text === undefined ? null : { text, from: '' };
}

function fromEnvironment(name: FlagName, env: Environment): Source | null {
  for (const variable of namesOf(name).map(variableName)) {
    const text = env[variable] === '' ? flags[name].type.emptyVariable : env[variable];
    if (text !== undefined) return { text, from: ` from environment variable ${variable}` };
  }
  return null;
}

function unknownVariables(env: Environment): string[] {
  const known = new Set(flagNames.flatMap(namesOf).map(variableName));
  return Object.keys(env)
    .filter((variable) => isConductorVariable(variable) && !known.has(variable))
    .map((variable) => `Unknown env var ${variable}: it has no effect`);
}
