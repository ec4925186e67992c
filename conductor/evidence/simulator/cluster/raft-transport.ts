import type { HelloAnswer, Member, NodeTransport, TransportHost } from '../../../../raft/index.js';
import type { Lifetime } from '../time/lifetime.js';
import { Exchange } from './exchange.js';
import type { Links } from './links.js';

type Request = Parameters<NodeTransport['send']>[1];
type Response = Awaited<ReturnType<NodeTransport['send']>>;
type SnapshotRequest = Parameters<NodeTransport['sendSnapshot']>[1];
type SnapshotSource = Parameters<NodeTransport['sendSnapshot']>[2];

/** What a node answers when it is asked who it is. */
type Hello = Pick<HelloAnswer, 'nodeId' | 'clusterId' | 'incarnation'>;

/** What a transport needs of the network around it. */
export interface Surrounding {
  readonly links: Links;
  readonly deadlinesMs: { control: number; bulk: number; snapshot: number };
  /** The process that listens there now. */
  transportAt(nodeId: string): RaftTransport | undefined;
  begin(transport: RaftTransport): void;
  end(transport: RaftTransport): void;
}

/** Of what is no payload. */
const FRAME_BYTES = 120;
/** Slowest link on which a large body arrives in time, as the HTTP transport has it. */
const BYTES_PER_MS = 10_000;
const PROBE_TIMEOUT_MS = 1000;

/** In the place of HttpTransport: the same promises to the node, over simulated links. */
export class RaftTransport implements NodeTransport {
  private host: TransportHost | undefined;
  private readonly boots = new Map<string, number>();
  private readonly heartbeatsFrom = new Set<RaftTransport>();
  private readonly pending = new Map<string, Set<Exchange<unknown>>>();
  private stopped = false;

  constructor(
    private readonly network: Surrounding,
    readonly nodeId: string,
    private readonly lifetime: Lifetime,
    private readonly hello: () => object,
    private readonly bootId: number,
  ) {
    lifetime.onEnd(() => this.network.end(this));
  }

  async start(host: TransportHost): Promise<{ host: string; port: number }> {
    this.host = host;
    this.network.begin(this);
    return { host: this.nodeId, port: 50_050 };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.network.end(this);
  }

  setPeers(_members: readonly Member[]): void {}

  send(to: string, message: Request): Promise<Response> {
    const { deadlinesMs } = this.network;
    const bytes = bytesOf(message);
    const lane = message.type === 'append' ? 'bulk' : message.type === 'snapshot' ? 'snapshot' : 'control';
    const deadlineMs = deadlinesMs[lane] + bytes / BYTES_PER_MS;
    const inOrder = lane === 'control' ? undefined : lane;
    return this.exchange(to, bytes, deadlineMs, inOrder, (peer) => peer.receive(this, message));
  }

  async sendSnapshot(to: string, message: SnapshotRequest, source: SnapshotSource): Promise<Response> {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < source.id.byteLength; at += chunks.at(-1)?.length ?? 0) {
      chunks.push(await source.read(at));
    }
    return this.send(to, { ...message, snapshot: { ...message.snapshot, data: Buffer.concat(chunks) } });
  }

  async probe(peer: string): Promise<'gone' | 'alive' | 'unknown'> {
    const known = this.boots.get(peer);
    try {
      const bootId = await this.exchange(
        peer,
        FRAME_BYTES,
        PROBE_TIMEOUT_MS,
        undefined,
        async (asked) => asked.bootId,
      );
      if (known === undefined) return 'unknown';
      return bootId === known ? 'alive' : 'gone';
    } catch (error) {
      return error instanceof ConnectionRefused ? 'gone' : 'unknown';
    }
  }

  /** Asks the node at an address who and how it is. */
  askHello<Extra extends object>(address: string, signal: AbortSignal): Promise<Hello & Extra> {
    const [nodeId = ''] = address.split(':');
    const answer = this.exchange(nodeId, FRAME_BYTES, 60_000, undefined, async (peer) =>
      peer.answerHello<Extra>(),
    );
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      answer.then(resolve, reject);
    });
  }

  /** A peer's process is gone; whoever had a connection to it knows. */
  closedBy(peer: RaftTransport): void {
    if (this.stopped || this.lifetime.isOver) return;
    for (const exchange of this.pending.get(peer.nodeId) ?? [])
      exchange.fail(new Error(`${peer.nodeId} closed the connection`));
    if (this.heartbeatsFrom.delete(peer)) void this.host?.onPeerDisconnected(peer.nodeId);
  }

  private answerHello<Extra extends object>(): Hello & Extra {
    const { host } = this;
    if (!host) throw new Error('not started');
    const own = { nodeId: this.nodeId, clusterId: host.clusterId(), incarnation: host.incarnation() };
    // What leaves a process is text.
    return JSON.parse(JSON.stringify({ ...own, ...this.hello() })) as Hello & Extra;
  }

  /** Null: there will be no answer. */
  private async receive(from: RaftTransport, message: Request): Promise<Response | null> {
    const { host } = this;
    const clusterId = from.host?.clusterId() ?? null;
    if (!host || clusterId === null) return null;
    this.noteBoot(from);
    if (message.type === 'heartbeat') this.heartbeatsFrom.add(from);
    if (host.clusterId() === null) await host.adoptCluster(clusterId);
    if (host.clusterId() !== clusterId) return null;
    return new Promise((respond) => host.onRequest(from.nodeId, message, respond));
  }

  private noteBoot({ nodeId, bootId }: RaftTransport): void {
    const known = this.boots.get(nodeId);
    this.boots.set(nodeId, bootId);
    if (known !== undefined && known !== bootId) this.host?.onPeerRestarted(nodeId);
  }

  private exchange<T>(
    to: string,
    bytes: number,
    deadlineMs: number,
    lane: string | undefined,
    serve: (peer: RaftTransport) => Promise<T | null>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const exchange = new Exchange<T>(this.lifetime, this.waitingFor(to), deadlineMs, resolve, reject);
      this.network.links.carry(this.nodeId, to, bytes, lane, () => this.arrive(to, exchange, serve));
    });
  }

  /** At the other end. */
  private arrive<T>(
    to: string,
    exchange: Exchange<T>,
    serve: (peer: RaftTransport) => Promise<T | null>,
  ): void {
    const peer = this.network.transportAt(to);
    if (!peer) return this.back(to, () => exchange.fail(new ConnectionRefused(to)));
    serve(peer).then(
      (answer) => {
        if (peer.lifetime.isOver) return;
        if (answer === null) return this.back(to, () => exchange.fail(new Error(`${to} does not answer`)));
        this.back(to, () => {
          if (exchange.isOver) return;
          if (!this.lifetime.isOver) this.noteBoot(peer);
          exchange.answer(answer);
        });
      },
      (error: Error) => this.back(to, () => exchange.fail(error)),
    );
  }

  private back(from: string, arrive: () => void): void {
    this.network.links.carry(from, this.nodeId, FRAME_BYTES, undefined, arrive);
  }

  private waitingFor(peer: string): Set<Exchange<unknown>> {
    let waiting = this.pending.get(peer);
    if (!waiting) this.pending.set(peer, (waiting = new Set()));
    return waiting;
  }
}

/** Nobody listens there: the process is gone. */
class ConnectionRefused extends Error {
  constructor(peer: string) {
    super(`${peer} refuses connections`);
  }
}

function bytesOf(message: Request): number {
  if (message.type === 'append') {
    return message.entries.reduce((sum, { byteLength }) => sum + byteLength, FRAME_BYTES);
  }
  return message.type === 'snapshot' ? FRAME_BYTES + (message.snapshot.data?.length ?? 0) : FRAME_BYTES;
}
