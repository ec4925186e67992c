import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';

/**
 * Many WebSocket clients in one process. Prints `ready` when all are connected, then, when all frames are there or its
 * input ends, their delays in ms as one line of JSON. Frames begin with the time of sending: `process.hrtime` in ns.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    clients: { type: 'string', default: '1' },
    frames: { type: 'string', default: '1' },
    compression: { type: 'boolean', default: false },
  },
});

const delaysMs: number[] = [];
let open = 0;
const count = Number(values.clients);
const finish = (): void => {
  process.stdout.write(`${JSON.stringify(delaysMs)}\n`, () => process.exit(0));
};
for (let i = 0; i < count; i++) {
  const socket = new WebSocket(values.url, { perMessageDeflate: values.compression });
  socket.once('open', () => {
    if (++open === count) console.log('ready');
  });
  socket.on('message', (data: Buffer) => {
    const now = process.hrtime.bigint();
    delaysMs.push(Number(now - data.readBigUInt64BE(0)) / 1e6);
    if (delaysMs.length === count * Number(values.frames)) finish();
  });
}
process.stdin.on('end', finish).resume();
