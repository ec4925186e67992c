import { ConfigError } from '../config-error.js';
import type { Config } from '../config.js';
import { parseConfig } from '../parse-config.js';

/** The required settings. */
export const required = {
  'consensus.addr': '127.0.0.1',
  'consensus.port': '50050',
  'raft.server.id': 'sequencer-0',
  'raft.storage.dir': '/data/raft',
  'node.rpc': 'http://op-node:9545',
  'execution.rpc': 'http://geth:8545',
  'healthcheck.interval': '1',
  'healthcheck.unsafe-interval': '5',
  'healthcheck.min-peer-count': '1',
};
/** The same, as arguments. */
export const requiredArguments = Object.entries(required).flatMap(([name, value]) => [`--${name}`, value]);

/** The result for a valid command line. */
export function parsed(
  argv: string[],
  env: Record<string, string> = {},
): { config: Config; warnings: readonly string[] } {
  const result = parseConfig(argv, env);
  if (!('config' in result)) throw new Error('no configuration');
  return result;
}

/** The configuration of a valid command line followed by more arguments. */
export function configOf(more: string[] = [], env: Record<string, string> = {}): Config {
  return parsed([...requiredArguments, ...more], env).config;
}

/** All problems of a command line, as one text. */
export function problemsOf(argv: string[], env: Record<string, string> = {}): string[] {
  try {
    parseConfig(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}
