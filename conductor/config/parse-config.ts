import { ConfigError } from './config-error.js';
import { buildConfig, type Config } from './config.js';
import { variableName, type FlagValues } from './flag-table.js';
import { absolute, pathMistake } from './folders.js';
import { helpText } from './help.js';
import { readValues, type Environment } from './read-values.js';
import { brokenRules } from './rules.js';

type ParsedConfig = { config: Config; warnings: readonly string[] } | { help: string } | { version: true };

/**
 * Reads the configuration from the command line and the environment.
 *
 * @param argv the arguments after the sub-command
 * @returns the configuration with warnings for the log, or the help or version if requested
 * @throws ConfigError with everything that is wrong
 */
export function parseConfig(argv: readonly string[], env: Environment): ParsedConfig {
  const { values, explicit, unknown, problems, warnings, help, version } = readValues(argv, env);
  if (help) return { help: helpText() };
  if (version) return { version: true };
  // A user who has set nothing mistyped a word, and need not see everything that a conductor requires.
  const mistyped = problems.filter(({ flags }) => flags.length === 0);
  if (mistyped.length > 0 && Object.keys(explicit).length === 0) throw new ConfigError(mistyped);
  const all = [...problems, ...brokenRules(values, unknown)];
  if (all.length > 0) throw new ConfigError(all);
  return { config: buildConfig(values, explicit), warnings: [...warnings, ...mistakenPaths(values)] };
}

/** Flags whose value is a path. */
const PATHS = [
  'raft.storage.dir',
  'raft.tls.cert',
  'raft.tls.key',
  'raft.tls.ca',
  'raft.secret-file',
  'rollup.config',
  'pprof.path',
  'rpc.token-file',
  'rpc.tls.cert',
  'rpc.tls.key',
  'rpc.tls.client-ca',
  'metrics.tls.cert',
  'metrics.tls.key',
  'websocket.tls.cert',
  'websocket.tls.key',
] as const;

function mistakenPaths(values: FlagValues): string[] {
  return PATHS.flatMap((name) => {
    const mistake = pathMistake(values[name]);
    if (mistake === undefined) return [];
    return `--${name} or ${variableName(name)}: ${mistake}; the path in use is ${absolute(values[name])}`;
  });
}
