import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** `good`: answers at once. `slow`: after five seconds. `half`: every other query. `silent`: none. */
export type Mood = 'good' | 'slow' | 'half' | 'silent';

const SLOW_MS = 5000;
const HEADER_BYTES = 12;
const TYPE_A = 1;

/** A name server with moods, for IPv4 addresses. */
export class NameServer {
  /** Towards clients without an entry in `moodTowards`. */
  mood: Mood = 'good';
  /** By client address. */
  readonly moodTowards = new Map<string, Mood>();
  private readonly asked = new Map<string, number>();
  private readonly timers = new Set<NodeJS.Timeout>();

  private constructor(
    private readonly socket: Socket,
    private readonly addresses: ReadonlyMap<string, string>,
  ) {
    socket.on('message', (query, from) => this.onQuery(query, from));
  }

  static async start(host: string, addresses: ReadonlyMap<string, string>): Promise<NameServer> {
    const socket = createSocket('udp4');
    socket.bind(53, host);
    await once(socket, 'listening');
    return new NameServer(socket, addresses);
  }

  /** How many queries came from an address. */
  askedBy(host: string): number {
    return this.asked.get(host) ?? 0;
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.socket.close();
    await once(this.socket, 'close');
  }

  private onQuery(query: Buffer, from: RemoteInfo): void {
    const asked = this.askedBy(from.address) + 1;
    this.asked.set(from.address, asked);
    const mood = this.moodTowards.get(from.address) ?? this.mood;
    if (mood === 'silent' || (mood === 'half' && asked % 2 === 0)) return;
    const send = (): void => this.socket.send(this.answerTo(query), from.port, from.address);
    if (mood !== 'slow') return send();
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      send();
    }, SLOW_MS);
    this.timers.add(timer);
  }

  private answerTo(query: Buffer): Buffer {
    const { name, end } = nameIn(query);
    const address = this.addresses.get(name);
    const isFound = address !== undefined && query.readUInt16BE(end) === TYPE_A;
    const head = Buffer.from(query.subarray(0, end + 4));
    // Recursion is available; an unknown name does not exist.
    head.writeUInt16BE(address === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(isFound ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    if (!isFound) return head;
    const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4]);
    return Buffer.concat([head, record, Buffer.from(address.split('.').map(Number))]);
  }
}

/** The queried name, and the position after it. */
function nameIn(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}
