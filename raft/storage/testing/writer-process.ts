/**
 * A process that carries out a RandomHistory in a directory until it is killed or the disk fails:
 *
 *     writer-process.ts DIRECTORY SEED FIRST LAST
 *
 * Prints `open`, then `done N` for each confirmed write, `failed CODE AGAIN` at the first error (AGAIN is the code of a
 * second attempt), and `end`.
 */
import { writeSync } from 'node:fs';
import { StorageError } from '../errors.js';
import { LevelStorage } from '../level-storage.js';
import { RandomHistory } from './random-history.js';

const [directory, seed, first, last] = process.argv.slice(2) as [string, string, string, string];
// Synchronously, because confirmations must have left this process before it is killed.
const say = (line: string): void => void writeSync(1, `${line}\n`);

const history = new RandomHistory(Number(seed));
// Small, so that tables are written and compacted often.
const storage = new LevelStorage({ directory, writeBufferBytes: 1 << 16, reclaimEveryBytes: 1 << 15 });
try {
  await storage.open('n1');
  say('open');
  for (let seq = Number(first); seq <= Number(last); seq++) {
    await storage.write(history.order(seq));
    say(`done ${seq}`);
  }
} catch (error) {
  if (!(error instanceof StorageError)) throw error;
  const again = await storage.write(history.order(1)).then(
    () => 'written',
    (reason: StorageError) => reason.code,
  );
  say(`failed ${error.code} ${again}`);
}
await storage.close();
say('end');
