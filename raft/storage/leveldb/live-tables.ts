import { ByteCursor } from './byte-cursor.js';
import { logRecords } from './log-records.js';

/**
 * Numbers of the tables that belong to the database according to its MANIFEST. Others in the directory are leftovers of a
 * compaction that a crash interrupted, and may be half-written.
 *
 * @throws RangeError for a record that is invalid although its CRC is right
 */
export function liveTables(manifest: Buffer): Set<number> {
  const live = new Set<number>();
  for (const record of logRecords(manifest)) applyEdit(new ByteCursor(record), live);
  return live;
}

/** One version edit: a list of tagged fields. */
function applyEdit(edit: ByteCursor, live: Set<number>): void {
  while (edit.remaining > 0) {
    const tag = edit.varint();
    switch (tag) {
      case 1: // name of the comparator
        edit.string();
        break;
      case 2: // number of the log
      case 3: // next file number
      case 4: // last sequence number
      case 9: // number of the log before
        edit.varint();
        break;
      case 5: // where the next compaction of a level begins
        edit.varint();
        edit.string();
        break;
      case 6: // a table left a level
        edit.varint();
        live.delete(edit.varint());
        break;
      case 7: {
        // a table came to a level: number, size, smallest and largest key
        edit.varint();
        live.add(edit.varint());
        edit.varint();
        edit.string();
        edit.string();
        break;
      }
      default:
        throw new RangeError(`unknown field ${tag} in a version edit`);
    }
  }
}
