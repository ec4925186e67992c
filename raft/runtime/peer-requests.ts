import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import type { Member, NodeId } from '../core/configuration.js';
import type { RequestMessage, ResponseMessage } from '../core/messages.js';
import { isDiskFailure, type StorageError } from '../storage/errors.js';
import type { Storage } from '../storage/storage.js';
import { TransportError } from '../transport/errors.js';
import { failureText } from '../transport/peer-failure.js';
import { isComplete, withData } from './complete-message.js';
import type { CorePump } from './core-pump.js';
import type { NodeTransport } from './node-options.js';
import { PeerWatch, type PeerTrouble } from './peer-watch.js';
import type { SnapshotTraffic } from './snapshot-traffic.js';

export interface PeerRequestsOptions {
  nodeId: NodeId;
  pump: Pick<CorePump, 'deliver'>;
  storage: Storage;
  snapshots: Pick<SnapshotTraffic, 'send'>;
  logger: Logger;
  /** The core has processed an answer of this peer. */
  onAnswered(peer: NodeId): void;
  /** Time from a heartbeat to its answer. Heartbeats wait for no disk. */
  onRoundTrip(ms: number): void;
  /** The disk could not supply what a message needs. */
  onDiskFailure(error: StorageError): void;
}

/** This node's requests to its peers. Each ends as an input of the core, answered or failed. */
export class PeerRequests {
  private transport: NodeTransport | undefined;
  private members: readonly Member[] = [];
  private readonly watch: PeerWatch;

  constructor(private readonly options: PeerRequestsOptions) {
    this.watch = new PeerWatch(options.logger, () => performance.now());
  }

  /** From here on, messages are sent. */
  use(transport: NodeTransport): void {
    this.transport = transport;
  }

  /** Members that just left stay connected until the next change, so that they learn that they left. */
  connect(members: readonly Member[]): void {
    const others = members.filter((member) => member.id !== this.options.nodeId);
    const gone = this.members.filter((old) => !others.some((member) => member.id === old.id));
    this.transport?.setPeers([...others, ...gone]);
    this.members = others;
  }

  send(to: NodeId, message: RequestMessage): void {
    void this.request(to, message).then(
      (response) => {
        this.watch.answered(to, message);
        this.options.pump.deliver({ type: 'message', from: to, message: response });
        this.options.onAnswered(to);
      },
      (error: Error) => this.failed(to, message, error),
    );
  }

  /** Whether the peer's process is certainly gone. */
  async probe(peer: NodeId): Promise<'gone' | 'alive' | 'unknown'> {
    return (await this.transport?.probe(peer)) ?? 'unknown';
  }

  troubles(): PeerTrouble[] {
    return this.watch.troubles();
  }

  /** From now on this node sends no requests, so silence means nothing. */
  forgetSilences(): void {
    this.watch.forget();
  }

  /** Closes the network. */
  async stop(): Promise<void> {
    await this.transport?.stop();
  }

  private async request(to: NodeId, message: RequestMessage): Promise<ResponseMessage> {
    const { transport } = this;
    const { snapshots, storage } = this.options;
    if (!transport) throw new Error('not started');
    const { requestId } = message;
    const onProgress = (bytes: number): void =>
      this.options.pump.deliver({ type: 'progress', to, requestId, bytes });
    if (message.type === 'snapshot') return snapshots.send(transport, to, message, onProgress);
    const complete = isComplete(message) ? message : await withData(message, storage);
    const sentMs = performance.now();
    const response = await transport.send(to, complete, onProgress);
    if (message.type === 'heartbeat') this.options.onRoundTrip(performance.now() - sentMs);
    return response;
  }

  private failed(to: NodeId, message: RequestMessage, error: Error): void {
    if (isDiskFailure(error)) return this.options.onDiskFailure(error);
    const failure = error instanceof TransportError ? error.failure : undefined;
    const { requestId } = message;
    this.watch.failed(to, message, error.message, failure);
    this.options.pump.deliver({ type: 'requestFailed', to, requestId, cause: causeOf(error) });
  }
}

/** Why a request failed, so that the status can say what is wrong with the peer. */
function causeOf(error: Error): string {
  if (!(error instanceof TransportError)) return error.message;
  const { code, failure } = error;
  return failure ? `${failure.phase}: ${failureText(failure)}` : code;
}
