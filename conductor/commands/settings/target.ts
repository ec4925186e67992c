import { hideCredentials } from '../../../common/endpoint.js';
import { formatHostPort, isWildcard, withoutBrackets } from '../../config/host-port.js';
import type { Environment } from '../../config/read-values.js';
import { CommandError } from '../command-error.js';
import { addressesProblem, urlsOf } from './addresses.js';
import type { ConfigFile } from './config-file.js';
import type { CredentialPaths } from './credentials.js';
import { configFile } from './folders.js';

/** op-conductor's default of `rpc.port`. */
const DEFAULT_RPC_PORT = 8545;

/** Which cluster a command uses. */
export interface Target {
  /** RPC of some of its conductors. */
  urls: readonly string[];
  /** Its name in the user's configuration; undefined for addresses that were given. */
  name?: string;
  /** Its settings in the user's configuration; empty for addresses that were given. */
  credentials: CredentialPaths;
  /** No cluster was given: it is the conductor of this host, if there is one. */
  isGuess: boolean;
}

export interface TargetOptions {
  /** URLs, or `host:port`, separated by commas. */
  rpc?: string;
  /** A name in the user's configuration. */
  cluster?: string;
}

/**
 * Finds the cluster to use: by the options, else by the variables, else by the default of the user's configuration. If
 * the environment has the settings of a conductor on this host, it is that conductor's cluster.
 *
 * @throws CommandError `usage`, `config-file`
 */
export async function findTarget({ rpc, cluster }: TargetOptions, env: Environment): Promise<Target> {
  if (rpc !== undefined && cluster !== undefined) {
    throw new CommandError('usage', 'give --rpc or --cluster, not both');
  }
  if (rpc !== undefined) return fromAddresses(rpc, '--rpc');
  if (cluster !== undefined) return named(cluster, '--cluster', env);
  if (env['BATON_RPC']) return fromAddresses(env['BATON_RPC'], 'BATON_RPC');
  if (env['BATON_CLUSTER']) return named(env['BATON_CLUSTER'], 'BATON_CLUSTER', env);
  if (env['OP_CONDUCTOR_RPC_PORT']) return { urls: [ownUrl(env)], credentials: {}, isGuess: false };
  return (await byDefault(env)) ?? { urls: [ownUrl(env)], credentials: {}, isGuess: true };
}

/** RPC of the conductor of this host, if it has the environment of this command. */
export function ownUrl(env: Environment): string {
  const listensOn = env['OP_CONDUCTOR_RPC_ADDR'] ?? '';
  const host = listensOn === '' || isWildcard(listensOn) ? '127.0.0.1' : withoutBrackets(listensOn);
  const scheme = env['OP_CONDUCTOR_RPC_TLS_CERT'] ? 'https' : 'http';
  return `${scheme}://${formatHostPort(host, Number(env['OP_CONDUCTOR_RPC_PORT'] || DEFAULT_RPC_PORT))}`;
}

function fromAddresses(text: string, from: string): Target {
  const given = text.replace(/,\s*$/, '').split(',');
  const problem = addressesProblem(given);
  if (problem !== undefined) {
    const [, place, what] = /^(?:no\. (\d+): )?(.*)$/s.exec(problem)!;
    const which = place === undefined ? from : `URL ${place} of ${from}`;
    const comma = place === undefined ? '' : ' (in a user name or password, write , as %2C)';
    throw new CommandError('usage', `${which} is none such as http://10.0.0.1:8547: ${what}${comma}`);
  }
  return { urls: urlsOf(given), credentials: {}, isGuess: false };
}

function fromFile({ clusters }: ConfigFile, name: string): Target {
  const { rpc, ...credentials } = clusters[name]!;
  return { urls: urlsOf(rpc), name, credentials, isGuess: false };
}

async function byDefault(env: Environment): Promise<Target | undefined> {
  const file = configFile(env);
  if (file === undefined) return undefined;
  const { readConfigFile } = await import('./config-file.js');
  const config = await readConfigFile(file);
  if (!config) return undefined;
  const [only, another] = Object.keys(config.clusters);
  const name = config.default ?? (another === undefined ? only : undefined);
  if (name !== undefined) return fromFile(config, name);
  const names = Object.keys(config.clusters).join(', ');
  throw new CommandError(
    'usage',
    `${file} has several clusters and no default`,
    `name one with --cluster or BATON_CLUSTER (${names}), or set default in that file`,
  );
}

async function named(name: string, from: string, env: Environment): Promise<Target> {
  const file = configFile(env);
  const { readConfigFile } = await import('./config-file.js');
  const config = file === undefined ? undefined : await readConfigFile(file);
  const path = file ?? '~/.config/baton/config.yaml';
  if (config && Object.hasOwn(config.clusters, name)) {
    return fromFile(config, name);
  }
  const known = config
    ? `it has ${Object.keys(config.clusters).join(', ') || 'none'}`
    : 'there is no such file';
  throw new CommandError(
    'usage',
    `${from}: there is no cluster "${hideCredentials(name)}" in ${path}`,
    `${known}; add it there (clusters: {${name}: {rpc: [HOST:PORT]}}), or give addresses with --rpc`,
  );
}
