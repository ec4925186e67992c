import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sourceOf } from './import-graph.js';

/** What a file loads before it runs: all that it imports but for types, and not what it imports later. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of sourceOf(file).matchAll(/^(?:import|export)(?! type\b)\s[^;]*?from '([^']+)'/gm)) {
    if (name!.startsWith('.')) {
      loadedBy(path.posix.join(path.posix.dirname(file), name!).replace(/\.js$/, '.ts'), seen);
    } else seen.add(name!);
  }
  return seen;
}

const packagesOf = (file: string): string[] =>
  [...loadedBy(file)].filter((name) => !name.endsWith('.ts') && !name.startsWith('node:')).sort();

/** Each of these costs every probe and every hook tens of milliseconds of CPU: what needs it loads it when it does. */
describe('21: what the command line loads', () => {
  it('nothing for its version', () => {
    expect(packagesOf('conductor/main.ts')).toEqual([]);
    expect(packagesOf('conductor/config/package-file.ts')).toEqual([]);
  });

  it('for help and complaints only what reads options', () => {
    expect(packagesOf('conductor/commands/index.ts')).toEqual(['commander', 'zod']);
  });

  it('for a look at a cluster what asks as well', () => {
    expect(packagesOf('conductor/commands/cluster/cluster-client.ts')).toEqual(['undici', 'zod']);
  });

  it('finds what is loaded at all', () => {
    expect(packagesOf('conductor/process/conductor-process.ts')).toEqual(
      expect.arrayContaining(['fastify', 'level', 'pino']),
    );
  });
});
