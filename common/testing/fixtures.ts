import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const FOLDER = fileURLToPath(new URL('./fixtures/', import.meta.url));

/**
 * The text of a fixture, unpacked if its name ends in `.gz`. fixtures/README.md lists them.
 *
 * @param file its path below `common/testing/fixtures/`
 * @throws Error that names the file, if it is not there
 */
export function readFixtureText(file: string): string {
  const bytes = read(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** The objects of a fixture with one JSON object a line, `.jsonl` or `.jsonl.gz`. */
export function readJsonLines<T>(file: string): T[] {
  return readFixtureText(file)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function read(file: string): Buffer {
  try {
    return readFileSync(`${FOLDER}${file}`);
  } catch (cause) {
    throw new Error(`the fixture ${file} is missing in ${FOLDER}; it belongs to the repository`, { cause });
  }
}
