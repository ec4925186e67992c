import { ByteCursor } from './byte-cursor.js';
import { maskedCrc32c } from './crc32c.js';

const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;
/** After each block: its kind of compression and its CRC. */
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;

interface BlockHandle {
  offset: number;
  size: number;
}

/**
 * Checks every block of a LevelDB table. Ours are not compressed. Of a foreign table with a compressed index, only the
 * index is checked.
 *
 * @throws RangeError that says where it is damaged
 */
export function checkTable(table: Buffer): void {
  if (table.length < FOOTER_BYTES) throw new RangeError(`${table.length} bytes are too few for a table`);
  const footer = new ByteCursor(table.subarray(table.length - FOOTER_BYTES));
  if (footer.bytes.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC)
    throw new RangeError('it has no valid footer');
  const metaIndex = handle(footer);
  const index = handle(footer);
  checkedBlock(table, metaIndex);
  const handlesOfData = checkedBlock(table, index);
  if (table.readUInt8(index.offset + index.size) !== UNCOMPRESSED) return;
  for (const data of handles(handlesOfData)) checkedBlock(table, data);
}

function handle(cursor: ByteCursor): BlockHandle {
  return { offset: cursor.varint(), size: cursor.varint() };
}

function checkedBlock(table: Buffer, { offset, size }: BlockHandle): Buffer {
  const end = offset + size;
  if (end + TRAILER_BYTES > table.length) throw new RangeError(`a block at ${offset} ends beyond the file`);
  if (table.readUInt32LE(end + 1) !== maskedCrc32c(table.subarray(offset, end + 1))) {
    throw new RangeError(`the CRC of the block at ${offset} is wrong`);
  }
  return table.subarray(offset, end);
}

/** The handles in an index block: values of entries whose keys share a prefix with the previous key. */
function* handles(block: Buffer): Generator<BlockHandle> {
  const restarts = block.readUInt32LE(block.length - 4);
  const entries = new ByteCursor(block.subarray(0, block.length - 4 * (restarts + 1)));
  while (entries.remaining > 0) {
    entries.varint();
    const keyBytes = entries.varint();
    const valueBytes = entries.varint();
    entries.take(keyBytes);
    yield handle(new ByteCursor(entries.take(valueBytes)));
  }
}
