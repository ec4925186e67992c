import type { RequestMessage, ResponseMessage } from '../core/messages.js';
import type { Respond } from '../transport/transport-host.js';

interface Exchange {
  /** As the peer counts its requests; two peers, or one before and after its restart, may use the same number. */
  requestId: number;
  respond: Respond;
}

/** Requests of peers that wait for the core's answer. The core knows them by numbers of our own. */
export class Exchanges {
  private readonly open = new Map<number, Exchange>();
  private lastId = 0;

  get size(): number {
    return this.open.size;
  }

  /** The request as the core shall see it. */
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

  /** The term is over: the core forgets what it held back, except for the request it is at. */
  abandon(exceptId?: number): void {
    for (const [id, { respond }] of this.open) {
      if (id === exceptId) continue;
      this.open.delete(id);
      respond(null);
    }
  }
}
