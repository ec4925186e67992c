import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/**
 * Limits how much is read from a client over time, with a burst of the same size. Every frame costs time to parse, and a
 * client can send thousands of them in one packet. Anything beyond the limit waits on the client's side.
 */
export function throttleReads(socket: WebSocket, connection: Socket, bytesPerSecond: number): void {
  let allowance = bytesPerSecond;
  let countedAtMs = performance.now();
  let pause: NodeJS.Timeout | undefined;
  connection.on('data', ({ length }: Buffer) => {
    const nowMs = performance.now();
    const earned = ((nowMs - countedAtMs) / 1000) * bytesPerSecond;
    allowance = Math.min(bytesPerSecond, allowance + earned) - length;
    countedAtMs = nowMs;
    if (allowance >= 0) return;
    socket.pause();
    pause = setTimeout(() => socket.resume(), (-allowance / bytesPerSecond) * 1000);
  });
  socket.once('close', () => clearTimeout(pause));
}
