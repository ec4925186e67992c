import type { Member, NodeId } from '../../core/configuration.js';
import type { RequestMessage, ResponseMessage } from '../../core/messages.js';
import type { TransportHost } from '../../transport/transport-host.js';
import type { NodeTransport } from '../node-options.js';

/** Connects nodes of one process. A node that is cut off sends and receives nothing. */
export class MemoryNetwork {
  readonly cut = new Set<NodeId>();
  /** What `probe` answers about a node. */
  readonly probes = new Map<NodeId, 'gone' | 'alive' | 'unknown'>();
  /** Messages that are lost on the way. */
  lost: (to: NodeId, message: RequestMessage) => boolean = () => false;
  readonly peers = new Map<NodeId, readonly Member[]>();
  private readonly nodes = new Map<NodeId, TransportHost>();

  transportOf(id: NodeId): NodeTransport {
    return {
      start: async (node) => {
        this.nodes.set(id, node);
        return { host: id, port: 1 };
      },
      stop: async () => void this.nodes.delete(id),
      setPeers: (members) => void this.peers.set(id, members),
      send: (to, message) => this.send(id, to, message),
      sendSnapshot: async (to, message, { id: { byteLength }, read }) => {
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < byteLength; at += chunks.at(-1)?.length ?? 0) chunks.push(await read(at));
        return this.send(id, to, {
          ...message,
          snapshot: { ...message.snapshot, data: Buffer.concat(chunks) },
        });
      },
      probe: async (peer) => this.probes.get(peer) ?? 'unknown',
    };
  }

  /** Where messages for this node go, while it runs. */
  hostOf(id: NodeId): TransportHost {
    return this.nodes.get(id) as TransportHost;
  }

  private async send(from: NodeId, to: NodeId, message: RequestMessage): Promise<ResponseMessage> {
    // As on a real network: nothing arrives within the step that sent it.
    await new Promise(setImmediate);
    const sender = this.nodes.get(from);
    const receiver = this.reach(from, to);
    if (!sender || !receiver || this.lost(to, message)) throw new Error(`${to} is not reached`);
    const clusterId = sender.clusterId();
    if (clusterId !== null) await receiver.adoptCluster(clusterId);
    const response = await new Promise<ResponseMessage | null>((respond) =>
      receiver.onRequest(from, message, respond),
    );
    if (!response || !this.reach(from, to)) throw new Error(`${to} does not answer`);
    return response;
  }

  private reach(from: NodeId, to: NodeId): TransportHost | undefined {
    return this.cut.has(from) || this.cut.has(to) ? undefined : this.nodes.get(to);
  }
}
