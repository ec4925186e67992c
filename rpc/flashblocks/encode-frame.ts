import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';
import * as ws from 'ws';

/** A message of the upstream. `binary`: it came as a binary frame, not as a text frame. */
export interface FlashblockFrame {
  data: Buffer;
  binary: boolean;
}

/** ws exports its frame writer, but its types do not. */
const { Sender } = ws as unknown as {
  Sender: {
    frame(data: Buffer, options: { fin: boolean; opcode: number; rsv1: boolean }): Buffer[];
  };
};

const OPCODE = { text: 1, binary: 2 };
/** Below this size, compression costs more than it saves. */
const COMPRESSED_BYTES_MIN = 1024;
/** The end of each deflate flush, which permessage-deflate omits (RFC 7692 §7.2.1). */
const FLUSH_TAIL_BYTES = 4;

const deflate = promisify(deflateRaw);

/** Bytes of the frame for any client. */
export function encodePlainFrame(frame: FlashblockFrame): Buffer {
  return encode(frame, frame.data, false);
}

/**
 * Bytes of the frame for any client that agreed on permessage-deflate without context takeover and with the full
 * window. A short frame is not compressed, which they accept as well.
 */
export async function encodeCompressedFrame(frame: FlashblockFrame): Promise<Buffer> {
  if (frame.data.length < COMPRESSED_BYTES_MIN) return encodePlainFrame(frame);
  const deflated = await deflate(frame.data, {
    level: constants.Z_BEST_SPEED,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  return encode(frame, deflated.subarray(0, -FLUSH_TAIL_BYTES), true);
}

function encode({ binary }: FlashblockFrame, body: Buffer, rsv1: boolean): Buffer {
  const opcode = binary ? OPCODE.binary : OPCODE.text;
  return Buffer.concat(Sender.frame(body, { fin: true, opcode, rsv1 }));
}
