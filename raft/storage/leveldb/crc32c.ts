/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;
const MASK_DELTA = 0xa282ead8;

/** tables[k][b]: the CRC of byte `b` followed by k zero bytes, so that eight bytes are looked up at once. */
const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  t0[byte] = crc;
}
for (let k = 1; k < 8; k++) {
  const [table, shorter] = [tables[k] as Uint32Array, tables[k - 1] as Uint32Array];
  for (let byte = 0; byte < 256; byte++) {
    const crc = shorter[byte] as number;
    table[byte] = (crc >>> 8) ^ (t0[crc & 255] as number);
  }
}

/**
 * CRC-32C, which LevelDB uses and `node:zlib` lacks. Runs at about 1 GB/s, because a start checks all tables.
 */
function crc32c(bytes: Uint8Array): number {
  // Every index is in range; the assertions cost nothing at run time.
  const at = (table: Uint32Array, index: number): number => table[index & 255] as number;
  let crc = -1;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    crc =
      at(t7, crc) ^
      at(t6, crc >>> 8) ^
      at(t5, crc >>> 16) ^
      at(t4, crc >>> 24) ^
      at(t3, bytes[i + 4] as number) ^
      at(t2, bytes[i + 5] as number) ^
      at(t1, bytes[i + 6] as number) ^
      at(t0, bytes[i + 7] as number);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ at(t0, crc ^ (bytes[i] as number));
  return ~crc >>> 0;
}

/** As LevelDB stores it: a CRC of bytes that contain their CRC would be weak. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
