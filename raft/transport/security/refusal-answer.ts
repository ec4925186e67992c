import type { Socket } from 'node:net';
import { SecurityError, type SecurityErrorCode } from './security-error.js';

/** Whoever asks nothing in this time is not told anything. */
const ASKED_WITHIN_MS = 1000;

/**
 * Says why a connection is of no use, as the answer to the first request on it, and closes it. What was asked is not
 * looked at.
 */
export function answerRefusal(socket: Socket, code: SecurityErrorCode, message: string): void {
  const { remedy } = new SecurityError(code, message);
  const body = JSON.stringify({ code, message, remedy });
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  const timer = setTimeout(() => socket.destroy(), ASKED_WITHIN_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.once('data', () => {
    socket.end([...head, '', body].join('\r\n'));
    // What else comes is not kept.
    socket.resume();
  });
}
