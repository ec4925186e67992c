import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import type { Member, NodeId } from '../../core/configuration.js';
import type { RequestMessage, ResponseMessage } from '../../core/messages.js';
import { heartbeat as heartbeatOf, heartbeatAnswer } from '../../core/testing/core-harness.js';
import type { AnswerMember } from '../ask-server.js';
import type { OpenSocket } from '../dial.js';
import { formatHostPort } from '../host-port.js';
import type { LookUp } from '../host-names.js';
import { HttpTransport } from '../http-transport.js';
import type { TransportSecurity } from '../security/security.js';
import { writeFrameHeaders } from '../frame-headers.js';
import { FRAME_TYPE, MESSAGE_PATH, type LaneTimeouts } from '../peer-lanes.js';
import type { Respond, TransportHost } from '../transport-host.js';
import { WIRE_VERSIONS, type WireVersions } from '../wire-versions.js';

export const CLUSTER = 'c1'.repeat(16);

export interface Received {
  from: NodeId;
  message: RequestMessage;
  respond: Respond;
}

export interface TransportNodeOptions {
  port?: number;
  /** Null: belongs to no cluster yet. */
  clusterId?: string | null;
  incarnation?: string;
  bodyLimitBytes?: number;
  timeouts?: Partial<LaneTimeouts>;
  wireVersions?: WireVersions;
  /** Where it listens; 127.0.0.1 by default. */
  host?: string;
  otherAddress?: (peer: NodeId) => string | undefined;
  lookUp?: LookUp;
  openSocket?: OpenSocket;
  security?: TransportSecurity;
  onRequest?(received: Received): void;
  adopt?(clusterId: string): Promise<void>;
  /** Absent: of a release that does not know such requests. */
  answerMember?: AnswerMember;
}

/** A transport with a core that agrees to everything, or follows the test. */
export class TransportNode {
  incarnation: string;
  readonly received: Received[] = [];
  readonly disconnected: NodeId[] = [];
  readonly restarted: NodeId[] = [];
  readonly usedTwice: NodeId[] = [];
  readonly adopted: string[] = [];
  /** Clusters whose frames came here by mistake. */
  readonly strays: string[] = [];
  writingForMs = 0;
  readonly transport: HttpTransport;
  clusterId: string | null;
  private readonly host: TransportHost;
  private address = '';

  constructor(
    readonly id: NodeId,
    options: TransportNodeOptions = {},
  ) {
    this.clusterId = options.clusterId === undefined ? CLUSTER : options.clusterId;
    this.incarnation = options.incarnation ?? randomBytes(16).toString('hex');
    const timeouts = { controlMs: 2000, bulkMs: 5000, snapshotMs: 5000, ...options.timeouts };
    this.transport = new HttpTransport({
      bind: { host: options.host ?? '127.0.0.1', port: options.port ?? 0 },
      timeouts: () => timeouts,
      bodyLimitBytes: options.bodyLimitBytes ?? 8_000_000,
      ...(options.wireVersions ? { wireVersions: options.wireVersions } : {}),
      ...(options.otherAddress ? { otherAddress: options.otherAddress } : {}),
      ...(options.lookUp ? { lookUp: options.lookUp } : {}),
      ...(options.openSocket ? { openSocket: options.openSocket } : {}),
      ...(options.security ? { security: options.security } : {}),
      ...(options.answerMember ? { answerMember: options.answerMember } : {}),
      hello: () => ({ greeting: `I am ${id}` }),
      onStray: (clusterId) => void this.strays.push(clusterId),
      logger: pino({ level: 'silent' }),
    });
    this.host = {
      nodeId: id,
      clusterId: () => this.clusterId,
      incarnation: () => this.incarnation,
      onRequest: (from, message, respond) => {
        const received = { from, message, respond };
        this.received.push(received);
        if (options.onRequest) options.onRequest(received);
        else respond(agree(message));
      },
      writingForMs: () => this.writingForMs,
      onSnapshotChunk: async (_from, { offset, data }) => offset + data.length,
      onPeerDisconnected: async (peer) => void this.disconnected.push(peer),
      onPeerRestarted: (peer) => void this.restarted.push(peer),
      onIdentityUsedTwice: (peer) => void this.usedTwice.push(peer),
      adoptCluster: async (clusterId) => {
        await options.adopt?.(clusterId);
        this.adopted.push(clusterId);
        this.clusterId = clusterId;
      },
    };
  }

  async start(): Promise<this> {
    const { host, port } = await this.transport.start(this.host);
    this.address = formatHostPort(host, port);
    return this;
  }

  get member(): Member {
    return { id: this.id, address: this.address, incarnation: this.incarnation, voter: true };
  }

  get port(): number {
    return Number(this.address.split(':').at(-1));
  }
}

/** The head of a request with a frame for `node`, as it goes over the wire; undefined takes a header away. */
export function requestHead(
  node: TransportNode,
  changes: Record<string, string | number | undefined> = {},
): string {
  const pairs = writeFrameHeaders({
    version: WIRE_VERSIONS.newest,
    clusterId: CLUSTER,
    toIncarnation: node.incarnation,
  });
  const headers: typeof changes = { host: node.id, 'content-type': FRAME_TYPE };
  for (let at = 0; at < pairs.length; at += 2) headers[pairs[at] as string] = pairs[at + 1];
  const lines = Object.entries({ ...headers, ...changes }).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}: ${value}`,
  );
  return [`POST ${MESSAGE_PATH} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** The answer of a follower without objections. */
export function agree({ type, term, requestId, ...rest }: RequestMessage): ResponseMessage {
  const envelope = { term, requestId };
  switch (type) {
    case 'preVote':
    case 'vote':
      return { type: `${type}Response`, ...envelope, granted: true, remainingMs: 0 };
    case 'append': {
      const { prevIndex, entries } = rest as Extract<RequestMessage, { type: 'append' }>;
      const matchIndex = prevIndex + entries.length;
      return {
        type: 'appendResponse',
        ...envelope,
        success: true,
        matchIndex,
        conflictIndex: 0,
        conflictTerm: 0,
      };
    }
    case 'heartbeat':
      return heartbeatAnswer(envelope.term, { ...envelope, round: (rest as { round: number }).round });
    case 'snapshot':
      return { type: 'snapshotResponse', ...envelope, matchIndex: 0 };
    case 'timeoutNow':
      return { type: 'timeoutNowResponse', ...envelope, accepted: true };
  }
}

let lastRequestId = 0;

export const heartbeat = (): Extract<RequestMessage, { type: 'heartbeat' }> => {
  lastRequestId += 1;
  return heartbeatOf(1, { requestId: lastRequestId, round: lastRequestId });
};
