import { createServer } from 'node:http';

/** The other end of the floor's HTTP round trip: reads a body and answers with nothing. Prints its port. */
const server = createServer((request, response) => {
  request.on('data', () => undefined).on('end', () => response.end('{}'));
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as { port: number }).port));
process.stdin.on('end', () => process.exit(0)).resume();
