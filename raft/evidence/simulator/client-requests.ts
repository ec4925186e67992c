import type { ObservedNode } from './observed-node.js';

export type RequestKind = 'propose' | 'read' | 'prepare' | 'transfer' | 'membership' | 'bootstrap';

export interface ClientRequest {
  id: number;
  kind: RequestKind;
  node: ObservedNode;
  /** The highest committed index anywhere at the time of the request. */
  committedBefore: number;
  startedMs: number;
  /** The configuration before a membership change. */
  configurationBefore: number;
}

/** Unanswered requests to nodes. Those to a process that died never get an answer. */
export class ClientRequests {
  private readonly requests = new Map<number, ClientRequest>();
  private lastId = 0;

  constructor(private readonly moment: () => { nowMs: number; committed: number }) {}

  open(kind: RequestKind, node: ObservedNode): number {
    const { nowMs, committed } = this.moment();
    const id = ++this.lastId;
    this.requests.set(id, {
      id,
      kind,
      node,
      committedBefore: committed,
      startedMs: nowMs,
      configurationBefore: node.process?.ctx.configurations.latest.index ?? 0,
    });
    return id;
  }

  get(id: number): ClientRequest | undefined {
    return this.requests.get(id);
  }

  close(id: number): void {
    this.requests.delete(id);
  }

  closeAllOf(node: ObservedNode): void {
    for (const request of this.requests.values()) {
      if (request.node === node) this.requests.delete(request.id);
    }
  }

  all(): IterableIterator<ClientRequest> {
    return this.requests.values();
  }
}
