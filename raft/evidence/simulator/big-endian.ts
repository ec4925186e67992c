/**
 * A DataView would be simpler, but it makes V8 move the bytes of a small array out of its heap, which takes longer than
 * anything else in a proposal.
 */
export function writeNumber(data: Uint8Array, value: number): void {
  data[0] = value >>> 24;
  data[1] = value >>> 16;
  data[2] = value >>> 8;
  data[3] = value;
}

/** The number in the first four bytes. */
export const readNumber = (data: Uint8Array): number =>
  (((data[0] as number) << 24) |
    ((data[1] as number) << 16) |
    ((data[2] as number) << 8) |
    (data[3] as number)) >>>
  0;
