import { Counter, Gauge, type Registry } from 'prom-client';
import type { CutReason, DropReason, FlashblocksObserver } from './observer.js';

/** Metrics of the flashblocks proxy; the first two by op-conductor's names. */
export class FlashblocksMetrics implements FlashblocksObserver {
  private readonly attempts;
  private readonly clients;
  private readonly connected;
  private readonly frames;
  private readonly bytes;
  private readonly drops;
  private readonly cuts;

  /** @param source what the upstream is called, a label of the connection attempts; empty when the proxy is off */
  constructor(
    registry: Registry,
    private readonly source: string,
  ) {
    const registers = [registry];
    this.attempts = new Counter({
      name: 'op_conductor_rollup_boost_connection_attempts_count',
      help: 'Number of rollup boost connection attempts',
      labelNames: ['success', 'source'],
      registers,
    });
    this.clients = new Gauge({
      name: 'op_conductor_websocket_clients_connected',
      help: 'Number of WebSocket clients currently connected to the hub',
      registers,
    });
    this.connected = new Gauge({
      name: 'op_conductor_flashblocks_upstream_connected',
      help: '1 if the flashblocks upstream is connected',
      registers,
    });
    this.frames = new Counter({
      name: 'op_conductor_flashblocks_frames_forwarded_total',
      help: 'Number of upstream frames forwarded to the clients, each counted once',
      registers,
    });
    this.bytes = new Counter({
      name: 'op_conductor_flashblocks_bytes_sent_total',
      help: 'Bytes of frames handed to clients, before compression',
      registers,
    });
    this.drops = new Counter({
      name: 'op_conductor_flashblocks_frames_dropped_total',
      help: 'Number of upstream frames not forwarded, by reason: not-leader, stale or demoted',
      labelNames: ['reason'],
      registers,
    });
    this.cuts = new Counter({
      name: 'op_conductor_websocket_clients_cut_total',
      help: 'Number of WebSocket clients cut off, by reason: slow, silent or error',
      labelNames: ['reason'],
      registers,
    });
  }

  connectionAttempt(success: boolean): void {
    this.attempts.inc({ success: String(success), source: this.source });
  }

  upstreamConnected(connected: boolean): void {
    this.connected.set(connected ? 1 : 0);
  }

  clientsConnected(count: number): void {
    this.clients.set(count);
  }

  forwarded(bytes: number, clients: number): void {
    this.frames.inc();
    this.bytes.inc(bytes * clients);
  }

  dropped(reason: DropReason): void {
    this.drops.inc({ reason });
  }

  clientCut(reason: CutReason): void {
    this.cuts.inc({ reason });
  }
}
