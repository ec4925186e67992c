import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { HookData } from './load-hook.js';
import { mutantNamed } from './mutants.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** From here on modules are loaded with the mutant's fault. @throws Error for an unknown name */
export function useMutant(name: string): void {
  const mutant = mutantNamed(name);
  register<HookData>('./load-hook.ts', { parentURL: import.meta.url, data: { mutant, root: ROOT } });
}
