import { randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import { parseArgs } from 'node:util';

/**
 * Many WebSocket clients in one process. Prints `ready` when all are connected, then, when all frames are there or its
 * input ends, when they came as one line of JSON: for each frame an array of `process.hrtime`, in ms.
 *
 * They read only the headers of frames. Otherwise, on the machine that also runs Baton, the measurement would be of a
 * thousand clients that inflate every frame.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '' },
    clients: { type: 'string', default: '1' },
    frames: { type: 'string', default: '1' },
    compression: { type: 'boolean', default: false },
  },
});

const PING = 9;
const EMPTY_PONG = Buffer.from('8a8000000000', 'hex');

const clients = Number(values.clients);
const arrivalsMs = Array.from({ length: Number(values.frames) }, (): number[] => []);
let open = 0;
let missing = clients * arrivalsMs.length;

const finish = (): void => {
  process.stdout.write(`${JSON.stringify(arrivalsMs)}\n`, () => process.exit(0));
};

function connect(): void {
  const offer = values.compression ? 'Sec-WebSocket-Extensions: permessage-deflate\r\n' : '';
  const socket = createConnection(Number(values.port), '127.0.0.1').on('error', () => undefined);
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${offer}` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  let handshake = '';
  let header: number[] = [];
  let bodyLeft = 0;
  let frames = 0;

  const onFrame = (opcode: number): void => {
    if (opcode === PING) return void socket.write(EMPTY_PONG);
    arrivalsMs[frames++]?.push(Number(process.hrtime.bigint()) / 1e6);
    if (--missing === 0) finish();
  };
  socket.on('data', (chunk) => {
    for (let at = 0; at < chunk.length;) {
      if (!handshake.endsWith('\r\n\r\n')) {
        handshake += String.fromCharCode(chunk[at++]!);
        if (handshake.endsWith('\r\n\r\n') && ++open === clients) console.log('ready');
        continue;
      }
      if (bodyLeft === 0) {
        header.push(chunk[at++]!);
        bodyLeft = bodyLengthOf(header) ?? 0;
      } else {
        const taken = Math.min(bodyLeft, chunk.length - at);
        bodyLeft -= taken;
        at += taken;
      }
      if (bodyLeft > 0 || bodyLengthOf(header) === undefined) continue;
      onFrame(header[0]! & 0x0f);
      header = [];
    }
  });
}

/** Undefined while bytes of the header are missing. */
function bodyLengthOf([, short, ...long]: readonly number[]): number | undefined {
  if (short === undefined || short < 126) return short;
  if (long.length < (short === 126 ? 2 : 8)) return undefined;
  return long.reduce((length, byte) => length * 256 + byte, 0);
}

for (let i = 0; i < clients; i++) connect();
process.stdin.on('end', finish).resume();
