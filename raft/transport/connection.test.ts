import net from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Connection } from './connection.js';

describe('a connection over a socket that the other side has reset', () => {
  it('fails its requests, and ends nothing else', async () => {
    const socket = new net.Socket();
    let onLost!: () => void;
    const lost = new Promise<void>((resolve) => (onLost = resolve));
    const connection = new Connection(socket, 1, onLost);
    expect(socket.remoteAddress).toBeUndefined();

    socket.destroy(new Error('read ECONNRESET'));

    await expect(connection.get('/')).rejects.toThrow();
    await lost;
    connection.destroy();
  });
});
