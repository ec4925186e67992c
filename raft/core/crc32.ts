const TABLE = new Uint32Array(256).map((_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/**
 * CRC-32 (IEEE) in plain arithmetic, for the small entries that the core makes itself. Same function as
 * `zlib.crc32`, which the runtime uses for payloads and which the core must not import.
 */
export function crc32(data: Uint8Array): number {
  let c = 0xffffffff;
  for (let at = 0; at < data.length; at++)
    c = (TABLE[(c ^ (data[at] as number)) & 0xff] as number) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
