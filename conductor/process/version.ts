import { existsSync, readFileSync } from 'node:fs';

/** Version of this release, as package.json has it; found from the sources and from `dist/` alike. */
export function readVersion(): string {
  for (let folder = new URL('.', import.meta.url); folder.pathname !== '/'; folder = new URL('..', folder)) {
    const file = new URL('package.json', folder);
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  throw new Error('package.json is missing from the installation');
}
