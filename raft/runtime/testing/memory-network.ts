import type { Member, NodeId, RequestMessage, ResponseMessage } from '../../core/types.js';
import type { NodeTransport } from '../node-options.js';
import type { RaftNode } from '../raft-node.js';

type AnyNode = Pick<RaftNode<unknown>, 'receive' | 'adoptCluster' | 'identity'>;

/** Connects nodes of one process; a node that is cut off sends and receives nothing. */
export class MemoryNetwork {
  readonly cut = new Set<NodeId>();
  /** What `probe` says of a node. */
  readonly probes = new Map<NodeId, 'gone' | 'alive' | 'unknown'>();
  /** Messages that are lost on their way there. */
  lost: (to: NodeId, message: RequestMessage) => boolean = () => false;
  readonly peers = new Map<NodeId, readonly Member[]>();
  private readonly nodes = new Map<NodeId, AnyNode>();

  transportOf(id: NodeId, node: AnyNode): NodeTransport {
    return {
      start: async () => {
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

  private async send(from: NodeId, to: NodeId, message: RequestMessage): Promise<ResponseMessage> {
    // As on a real network: nothing arrives within the step that sent it.
    await new Promise(setImmediate);
    const sender = this.nodes.get(from);
    const receiver = this.reach(from, to);
    if (!sender || !receiver || this.lost(to, message)) throw new Error(`${to} is not reached`);
    const { clusterId } = sender.identity;
    if (clusterId !== null) await receiver.adoptCluster(clusterId);
    const response = await new Promise<ResponseMessage | null>((respond) =>
      receiver.receive(from, message, respond),
    );
    if (!response || !this.reach(from, to)) throw new Error(`${to} does not answer`);
    return response;
  }

  private reach(from: NodeId, to: NodeId): AnyNode | undefined {
    return this.cut.has(from) || this.cut.has(to) ? undefined : this.nodes.get(to);
  }
}
