import type { Socket } from 'node:net';

/** Most of a turn of the event loop for handshakes: each costs a signature, on the thread that also commits. */
const MS_PER_TURN = 5;

/**
 * Lets handshakes begin, a few in each turn of the event loop: a thousand that come at once must not stop other work.
 * The newest goes first: in a flood, the senders of the oldest have given up, and a peer that dials is served at once.
 */
export class HandshakeTurns {
  private readonly waiting = new Set<Socket>();
  private next: NodeJS.Immediate | undefined;

  constructor(
    private readonly begin: (socket: Socket) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  add(socket: Socket): void {
    this.waiting.add(socket);
    this.next ??= setImmediate(() => this.turn());
  }

  drop(socket: Socket): void {
    this.waiting.delete(socket);
  }

  private turn(): void {
    this.next = undefined;
    const newestFirst = [...this.waiting].reverse();
    const endMs = this.now() + MS_PER_TURN;
    for (const socket of newestFirst) {
      this.waiting.delete(socket);
      this.begin(socket);
      if (this.now() >= endMs) break;
    }
    if (this.waiting.size > 0) this.next = setImmediate(() => this.turn());
  }
}
