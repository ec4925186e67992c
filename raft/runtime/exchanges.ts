import type { RequestMessage, ResponseMessage } from '../core/messages.js';
import type { Respond } from '../transport/transport-host.js';

interface Exchange {
  /** The peer's own number. Two peers, or one before and after its restart, may use the same. */
  requestId: number;
  respond: Respond;
}

/** Requests of peers that wait for the core's answer. The core knows them by our own numbers. */
export class Exchanges {
  private readonly open = new Map<number, Exchange>();
  private lastId = 0;

  get size(): number {
    return this.open.size;
  }

  /** The request as the core sees it. */
  begin(request: RequestMessage, respond: Respond): RequestMessage {
    this.lastId += 1;
    this.open.set(this.lastId, { requestId: request.requestId, respond });
    return { ...request, requestId: this.lastId };
  }

  answer(response: ResponseMessage): void {
    const exchange = this.open.get(response.requestId);
    if (!exchange) return;
    this.open.delete(response.requestId);
    exchange.respond({ ...response, requestId: exchange.requestId });
  }

  /** The term is over: the core forgets what it held back, except for the request that it is processing. */
  abandon(exceptId?: number): void {
    for (const [id, { respond }] of this.open) {
      if (id === exceptId) continue;
      this.open.delete(id);
      respond(null);
    }
  }
}
