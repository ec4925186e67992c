import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { withDeadline } from './deadline.js';

/**
 * Whether a server completes a TLS handshake, whoever it is: nothing is sent to it, and nothing that it shows is believed.
 *
 * @param host an IPv6 address without brackets
 */
export async function speaksTls(
  host: string,
  port: number,
  limits: { timeoutMs: number; signal: AbortSignal },
): Promise<boolean> {
  try {
    await withDeadline((deadline) => handshake(host, port, deadline), limits);
    return true;
  } catch {
    return false;
  }
}

async function handshake(host: string, port: number, signal: AbortSignal): Promise<void> {
  const servername = isIP(host) ? {} : { servername: host };
  const socket = connect({ host, port, ...servername, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal });
  } finally {
    socket.destroy();
  }
}
