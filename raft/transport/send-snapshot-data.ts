import type { SnapshotSource } from '../storage/snapshot-stream.js';
import { FrameError } from './errors.js';
import type { SnapshotChunkRequest, WireResponse } from './wire-message.js';

type Chunk = Omit<SnapshotChunkRequest, 'term' | 'requestId'>;

/**
 * Brings all data of a snapshot to a peer, one chunk after the other, from where the peer has come to. One chunk is
 * in memory at a time.
 *
 * @param exchange sends a chunk and returns the answer to it
 * @param onProgress hears how many bytes the peer has
 */
export async function sendSnapshotData(
  exchange: (chunk: Chunk) => Promise<WireResponse>,
  { id, read }: SnapshotSource,
  signal: AbortSignal,
  onProgress?: (bytes: number) => void,
): Promise<void> {
  const send = async (offset: number, data: Uint8Array): Promise<number> => {
    signal.throwIfAborted();
    const answer = await exchange({ type: 'snapshotChunk', snapshot: id, offset, data });
    if (answer.type === 'snapshotChunkResponse' && answer.received <= id.byteLength) {
      onProgress?.(answer.received);
      return answer.received;
    }
    throw new FrameError('malformed', 'an answer that is none to a piece of a snapshot');
  };
  for (let at = await send(0, new Uint8Array(0)); at < id.byteLength;) {
    const received = await send(at, await read(at));
    // It went back, or stands still: somebody else sends to it as well.
    if (received <= at) throw new FrameError('malformed', `${received} bytes there after those at ${at}`);
    at = received;
  }
}
