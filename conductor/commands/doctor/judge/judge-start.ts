import type { StartFacts } from '../facts.js';
import { failure, ok, warning, type Finding } from './finding.js';

/** Settings from the first line of the executable, by environment variable and by option of node. */
export const EXECUTABLE_ENV = { MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '16' };
export const EXECUTABLE_OPTIONS = ['--max-semi-space-size=4', '--heap-growing-percent=100'];

/** Whether this Node.js may run Baton, and whether it was started as the executable starts it. */
export function judgeStart(facts: StartFacts): Finding[] {
  const { nodeVersion, oldestNode, env, nodeOptions } = facts;
  const missing = [
    ...Object.entries(EXECUTABLE_ENV)
      .filter(([name]) => (env[name] ?? '') === '')
      .map(([name, value]) => `${name}=${value}`),
    ...EXECUTABLE_OPTIONS.filter((option) => !isGiven(option, nodeOptions)),
  ];
  return [
    isOlder(nodeVersion, oldestNode)
      ? failure('node-version', 'old-node', `Node.js ${nodeVersion} is older than ${oldestNode}`)
      : ok('node-version', `Node.js ${nodeVersion}`),
    missing.length > 0
      ? warning('executable', 'started-otherwise', `started without ${missing.join(', ')}`)
      : ok('executable', 'started with its environment and the options of node'),
  ];
}

/** With any value: an operator who sets another one has a reason. */
function isGiven(option: string, nodeOptions: readonly string[]): boolean {
  const name = option.replace(/=.*$/, '');
  return nodeOptions.some((given) => given.replace(/=.*$/, '').replaceAll('_', '-') === name);
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.replace(/^v/, '').split('.').map(Number)) as [
    number[],
    number[],
  ];
  for (const [at, wanted] of b.entries()) {
    const has = a[at] ?? 0;
    if (has !== wanted) return has < wanted;
  }
  return false;
}
