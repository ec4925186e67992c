import type { Socket } from 'node:net';
import { SecurityError, type SecurityErrorCode } from './security-error.js';

/** A connection without a request in this time gets no answer. */
const ASKED_WITHIN_MS = 1000;

/**
 * Says why a connection is refused, as the answer to the first request on it, and closes it. The request is not read.
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
    // Further bytes are not kept.
    socket.resume();
  });
}
