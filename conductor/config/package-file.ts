import { existsSync, readFileSync } from 'node:fs';

interface PackageFile {
  version: string;
  engines: { node: string };
}

/** Version of this release, from package.json. */
export function readVersion(): string {
  return readPackageFile().version;
}

/** The oldest Node that this release runs on, from package.json: `20.15` of `>=20.15`. */
export function oldestNode(): string {
  return readPackageFile().engines.node.replace(/^>=/, '');
}

/** Found from the sources and from `dist/` alike. */
function readPackageFile(): PackageFile {
  for (let folder = new URL('.', import.meta.url); folder.pathname !== '/'; folder = new URL('..', folder)) {
    const file = new URL('package.json', folder);
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as PackageFile;
  }
  throw new Error('package.json is missing from the installation');
}
