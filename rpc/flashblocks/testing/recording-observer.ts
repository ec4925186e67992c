import type { CutReason, DropReason, FlashblocksObserver } from '../observer.js';

/** Counts what it is told. */
export class RecordingObserver implements FlashblocksObserver {
  readonly attempts: boolean[] = [];
  readonly drops: DropReason[] = [];
  readonly cuts: CutReason[] = [];
  connected = false;
  clients = 0;
  frames = 0;
  bytes = 0;

  connectionAttempt(success: boolean): void {
    this.attempts.push(success);
  }

  upstreamConnected(connected: boolean): void {
    this.connected = connected;
  }

  clientsConnected(count: number): void {
    this.clients = count;
  }

  forwarded(bytes: number, clients: number): void {
    this.frames += 1;
    this.bytes += bytes * clients;
  }

  dropped(reason: DropReason): void {
    this.drops.push(reason);
  }

  clientCut(reason: CutReason): void {
    this.cuts.push(reason);
  }
}
