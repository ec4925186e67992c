import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendText } from '../../../common/send-text.js';
import type { Caller, CallerIdentity } from '../json-rpc/caller.js';
import { ANONYMOUS, isRefusal, type AccessControl } from './access-control.js';
import { certificateNames } from './certificate-names.js';
import { unidentified } from './refusal-texts.js';
import { grants } from './roles.js';
import type { Holder } from './token-file.js';

/** Only callers that commit blocks have a reason to send bodies that take much memory. */
const OF_LARGE_BODIES = ['sequencer'] as const;

/** Access control for the routes of a port: it knows the sender of a request before the body is read. */
export class Gate {
  private readonly holders = new WeakMap<FastifyRequest, Holder>();

  constructor(
    private readonly access: AccessControl,
    private readonly largeBodyBytes: number,
  ) {}

  /**
   * Lets a request pass, or answers it.
   *
   * @param method whose role the whole route takes; undefined where each call in the body is judged by itself
   */
  admit(request: FastifyRequest, reply: FastifyReply, method?: string): FastifyReply | undefined {
    const { headers, socket } = request;
    const address = addressOf(socket);
    const who = this.access.identify({
      address,
      authorization: headers.authorization,
      certificateNames: certificateNames(socket as TLSSocket),
      path: request.url,
    });
    if (isRefusal(who)) {
      const { status, text } = unidentified(who);
      if (status === 401) reply.header('www-authenticate', 'Bearer realm="baton"');
      else reply.header('retry-after', '10');
      return sendText(reply, status, text);
    }
    const refusal = method === undefined ? undefined : this.access.refusalOf(who, address, method, []);
    if (refusal) return sendText(reply, 403, refusal.message);
    const isLarge = Number(headers['content-length'] ?? 0) > this.largeBodyBytes;
    if (isLarge && !grants(who.roles, OF_LARGE_BODIES)) {
      return sendText(
        reply,
        403,
        `a body of more than ${this.largeBodyBytes} bytes takes the role sequencer; "${who.name}" has ${who.roles.join(', ')}`,
      );
    }
    this.holders.set(request, who);
    return undefined;
  }

  /** The caller, and the rules for its calls. */
  callerOf(request: FastifyRequest): Pick<CallerIdentity, 'token'> & Pick<Caller, 'refusalOf'> {
    const holder = this.holders.get(request) as Holder;
    const address = addressOf(request.socket);
    return {
      ...(holder.name !== ANONYMOUS && { token: holder.name }),
      refusalOf: (method, args) => this.access.refusalOf(holder, address, method, args),
    };
  }
}

function addressOf(socket: Socket): string {
  // None over a Unix socket, or once the client has reset the connection.
  return socket.remoteAddress ?? 'no address';
}
