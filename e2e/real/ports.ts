import { createServer } from 'node:net';

const LOWEST = 20_000;
// Linux gives outgoing connections ports from 32768 up: a killed node's port must still be free when it returns.
const HIGHEST = 32_000;

/** Returns `count` different TCP ports that are free on loopback now. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
