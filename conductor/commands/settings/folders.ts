import path from 'node:path';
import type { Environment } from '../../config/read-values.js';

const NAME = 'baton';

/** Where the settings of this user are, by the rules of XDG; undefined for a user without a home. */
export function configFile(env: Environment): string | undefined {
  return inFolder(env, 'XDG_CONFIG_HOME', '.config', 'config.yaml');
}

/** Where this user's commands keep what they have seen. */
export function stateFile(env: Environment): string | undefined {
  return inFolder(env, 'XDG_STATE_HOME', path.join('.local', 'state'), 'members.json');
}

/** A variable that is not an absolute path does not count. */
function inFolder(env: Environment, variable: string, usual: string, name: string): string | undefined {
  const given = env[variable];
  if (given !== undefined && path.isAbsolute(given)) return path.join(given, NAME, name);
  const home = env['HOME'];
  return home !== undefined && path.isAbsolute(home) ? path.join(home, usual, NAME, name) : undefined;
}
