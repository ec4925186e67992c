import type { SnapshotSource } from '../storage/snapshot-stream.js';
import { FrameError } from './errors.js';
import { sendInPieces, type PiecesOptions } from './send-in-pieces.js';
import type { SnapshotChunkRequest, WireResponse } from './wire-message.js';

type Chunk = Omit<SnapshotChunkRequest, 'term' | 'requestId'>;

/**
 * Brings all data of a snapshot to a peer, one piece after the other, from where the peer stopped. One piece is in
 * memory at a time.
 *
 * @param exchange sends a piece and returns the answer to it
 */
export function sendSnapshotData(
  exchange: (chunk: Chunk) => Promise<WireResponse>,
  { id, read }: SnapshotSource,
  options: Pick<PiecesOptions, 'pace' | 'onProgress' | 'signal'>,
): Promise<void> {
  return sendInPieces({
    ...options,
    byteLength: id.byteLength,
    read,
    send: async (offset, data) => {
      const answer = await exchange({ type: 'snapshotChunk', snapshot: id, offset, data });
      if (answer.type === 'snapshotChunkResponse') return answer.received;
      throw new FrameError('malformed', 'invalid answer to a piece of a snapshot');
    },
    from: undefined,
    window: 1,
  });
}
