import { parentPort } from 'node:worker_threads';
import { readLargeBody } from './read-large-body.js';

parentPort?.on('message', (body: Uint8Array) => {
  const read = readLargeBody(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  const ssz = typeof read === 'object' && 'ssz' in read.found ? read.found.ssz : undefined;
  // A small payload, in a body of blanks, lies in Node's pool, which cannot be given away.
  const isOwn = ssz !== undefined && ssz.length > Buffer.poolSize;
  parentPort?.postMessage(read, isOwn ? [ssz.buffer as ArrayBuffer] : []);
});
