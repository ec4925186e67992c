import type { Logger } from 'pino';
import type { Member, NodeId } from '../core/configuration.js';
import type { RequestMessage, ResponseMessage, SnapshotRequest } from '../core/messages.js';
import type { SnapshotSource } from '../storage/snapshot-stream.js';
import type { Admission } from './admission.js';
import { AppendSender, type OnProgress } from './append-sender.js';
import { ask, type AskBody } from './ask.js';
import type { DialOptions } from './dial.js';
import { FrameError, TransportError } from './errors.js';
import { decodeFrame } from './frame.js';
import { writeFrameHeaders } from './frame-headers.js';
import { askHello, type HelloAnswer } from './hello.js';
import { isRefused } from './peer-failure.js';
import { identityOf, notCounted, type PeerIdentities, type PeerIdentity } from './peer-identities.js';
import { PeerAddress } from './peer-address.js';
import { PeerLanes, type LaneTimeouts } from './peer-lanes.js';
import type { PeerProcesses } from './peer-processes.js';
import type { Refusals } from './refusals.js';
import { sendSnapshotData } from './send-snapshot-data.js';
import type { WireRequest, WireResponse } from './wire-message.js';
import { CHUNKS_ENTRIES_SINCE, type WireVersions } from './wire-versions.js';

export interface PeersOptions {
  /** The cluster of this node. @throws Error without one */
  clusterId: () => string;
  timeouts: () => LaneTimeouts;
  dialOptions: DialOptions;
  /** An address that a peer may have moved to, besides the one that the cluster has for it. */
  otherAddress: (peer: NodeId) => string | undefined;
  wireVersions: WireVersions;
  admission: Admission;
  identities: PeerIdentities;
  processes: PeerProcesses;
  refusals: Refusals;
  encode: (message: WireRequest, to: NodeId, toIncarnation: string, version: number) => Uint8Array[];
  logger: Logger;
}

interface Peer {
  member: Member;
  address: PeerAddress;
  lanes: PeerLanes;
  appends: AppendSender;
}

const PROBE_TIMEOUT_MS = 500;

const MOVED_REMEDY =
  'add the member again with this address (baton add): it keeps its disk and its vote, and nodes that do not know the new address can then find it';

/** The other members: this node's requests to them, and the processes that answer. */
export class Peers {
  private byId = new Map<NodeId, Peer>();
  private closed = false;

  constructor(private readonly options: PeersOptions) {}

  member(id: NodeId): Member | undefined {
    return this.byId.get(id)?.member;
  }

  /** Those to talk to; a changed address takes effect with the next message. */
  set(members: readonly Member[]): void {
    const before = this.byId;
    this.byId = new Map();
    for (const member of members) {
      const open = before.get(member.id);
      const isSame =
        open?.member.address === member.address && open.member.incarnation === member.incarnation;
      const peer = isSame ? open : this.open(member);
      if (!peer) continue;
      this.byId.set(member.id, peer);
      if (peer !== open) peer.lanes.keepWarm();
    }
    for (const [id, peer] of before) if (this.byId.get(id) !== peer) peer.lanes.close();
  }

  keepWarm(): void {
    for (const { lanes } of this.byId.values()) lanes.keepWarm();
  }

  close(): void {
    this.closed = true;
    for (const { lanes } of this.byId.values()) lanes.close();
  }

  /** @throws TransportError, or FrameError for an answer that is not a frame for this node */
  async send(to: NodeId, message: RequestMessage, onProgress?: OnProgress): Promise<ResponseMessage> {
    const { appends } = this.peer(to);
    const answer = message.type === 'append' ? appends.send(message, onProgress) : this.exchange(to, message);
    return (await answer) as ResponseMessage;
  }

  /**
   * Sends the rest of a snapshot's data that the peer lacks, and then the message that installs it. A broken connection
   * ends it; the next attempt continues where this one stopped.
   *
   * @throws as `send`
   */
  async sendSnapshot(
    to: NodeId,
    message: SnapshotRequest,
    source: SnapshotSource,
    signal: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<ResponseMessage> {
    const { term, requestId } = message;
    const { pace } = this.peer(to).lanes;
    await sendSnapshotData((chunk) => this.exchange(to, { ...chunk, term, requestId }), source, {
      pace,
      signal,
      ...(onProgress ? { onProgress } : {}),
    });
    return this.send(to, message);
  }

  /** Asks the node at any address who it is. @throws TransportError */
  hello<Extra extends object>(address: string, signal: AbortSignal): Promise<HelloAnswer & Extra> {
    return askHello(address, this.options.dialOptions, signal);
  }

  /** Asks a member something that concerns the application alone. @throws TransportError */
  async ask(to: NodeId, body: AskBody, signal: AbortSignal): Promise<object> {
    const { member, address } = this.peer(to);
    const version = this.options.processes.version(to);
    return ask({
      peer: to,
      dial: () => address.dial(),
      headers: this.headersFor(member, version),
      ...{ body, signal },
    }).catch((error: unknown) => {
      if (error instanceof TransportError && error.refusal) this.onRefused(error, to, version);
      throw error;
    });
  }

  /**
   * Whether the peer's process is gone: its host refuses connections, or another process answers in its place.
   * Time-outs and unreachable hosts prove nothing.
   */
  async probe(id: NodeId): Promise<'gone' | 'alive' | 'unknown'> {
    const peer = this.byId.get(id);
    if (!peer) return 'unknown';
    const { member, address } = peer;
    const known = this.options.identities.bootId(member);
    try {
      const found = await this.hello(address.current, AbortSignal.timeout(PROBE_TIMEOUT_MS));
      // The address may now belong to another node: that says nothing about the peer.
      if (!isOf(member, found) || known === undefined) return 'unknown';
      return found.bootId === known ? 'alive' : 'gone';
    } catch (error) {
      return error instanceof TransportError && isRefused(error.failure) ? 'gone' : 'unknown';
    }
  }

  /** The process of this identity where the member is; undefined when none answers there. */
  async residentOf(peer: PeerIdentity): Promise<string | undefined> {
    const address = this.byId.get(peer.id)?.address.current;
    if (address === undefined || this.closed) return undefined;
    const found = await this.hello(address, AbortSignal.timeout(PROBE_TIMEOUT_MS)).catch(() => undefined);
    return found && isOf(peer, found) ? found.bootId : undefined;
  }

  private peer(id: NodeId): Peer {
    const peer = this.byId.get(id);
    if (peer && !this.closed) return peer;
    throw new TransportError('unknown-peer', id, 'not a member with a known address', { hadNoEffect: true });
  }

  /** An invalid address in the log must not end every node that reads it. */
  private open(member: Member): Peer | undefined {
    const { id } = member;
    const { timeouts, dialOptions, otherAddress, processes, logger } = this.options;
    const onMoved = (reached: string): void =>
      logger.warn(
        { peer: id, listed: member.address, reached, remedy: MOVED_REMEDY },
        'member reached at an address other than its listed one',
      );
    try {
      const other = otherAddress(id);
      const address = new PeerAddress({ peer: id, listed: member.address, other, dialOptions, onMoved });
      const lanes = new PeerLanes(id, address, timeouts);
      const appends = new AppendSender({
        pace: lanes.pace,
        takesPieces: () => processes.version(id) >= CHUNKS_ENTRIES_SINCE,
        exchange: (message) => this.exchange(id, message),
      });
      return { member, address, lanes, appends };
    } catch (error) {
      logger.error({ member, reason: (error as Error).message }, 'member has an invalid address');
      return undefined;
    }
  }

  private async exchange(to: NodeId, message: WireRequest): Promise<WireResponse> {
    const { processes, admission, identities, wireVersions, encode } = this.options;
    const { member, lanes } = this.peer(to);
    const { incarnation } = member;
    const version = processes.version(to);
    const frameBytes = encode(message, to, incarnation, version);
    const headers = this.headersFor(member, version);
    const answer = await lanes.exchange(message, frameBytes, headers).catch((error: unknown) => {
      if (error instanceof TransportError && error.code === 'refused') this.onRefused(error, to, version);
      throw error;
    });
    const frame = decodeFrame(answer, wireVersions);
    admission.check(frame, to);
    if (frame.message.type !== `${message.type}Response` || frame.message.requestId !== message.requestId) {
      throw new FrameError('malformed', `${to} answered ${message.type} with ${frame.message.type}`);
    }
    const judged = identities.standing(identityOf(frame), frame.bootId, 'answer');
    const standing = typeof judged === 'string' ? judged : await judged;
    if (standing !== 'counts') throw notCounted(frame, standing);
    return frame.message as WireResponse;
  }

  private headersFor({ incarnation }: Member, version: number): string[] {
    return writeFrameHeaders({ version, clusterId: this.options.clusterId(), toIncarnation: incarnation });
  }

  /** A message is lost when the peer does not speak our newest format; after that the peer gets one that it speaks. */
  private onRefused(error: TransportError, to: NodeId, version: number): void {
    const { processes, refusals, logger } = this.options;
    const common = processes.learnVersion(to, version, error.refusal ?? {});
    if (common === undefined) return refusals.log(error);
    logger.info({ peer: to, version: common }, 'the peer speaks a different wire version');
  }
}

const isOf = ({ id, incarnation }: PeerIdentity, found: HelloAnswer): boolean =>
  found.nodeId === id && found.incarnation === incarnation;
