import { createServer } from 'node:http';

/** The server of the floor's HTTP round trip: reads a body and sends an empty answer. Prints its port. */
const server = createServer((request, response) => {
  request.on('data', () => undefined).on('end', () => response.end('{}'));
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as { port: number }).port));
process.stdin.on('end', () => process.exit(0)).resume();
