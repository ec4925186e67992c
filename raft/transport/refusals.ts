import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { FrameError } from './errors.js';
import { FRAME_TYPE } from './peer-lanes.js';
import type { WireVersions } from './wire-versions.js';

/** A peer that refuses our frames, or whose frames are refused, brings twenty a second. */
const LOG_INTERVAL_MS = 10_000;

/** Refusals of the HTTP server itself, by status. */
const HTTP_REFUSALS: Partial<Record<number, { code: string; remedy: string }>> = {
  400: {
    code: 'bad-request',
    remedy: 'the request was cut off in transit: look for a proxy between the nodes',
  },
  415: { code: 'wrong-content-type', remedy: `Baton's frames are ${FRAME_TYPE}` },
};

/** Says why a frame does not count: at once to its sender, now and then to the log. */
export class Refusals {
  private readonly loggedMs = new Map<string, number>();

  constructor(
    private readonly wireVersions: WireVersions,
    private readonly logger: Logger,
  ) {}

  answer(error: Error & { statusCode?: number; code?: string }, reply: FastifyReply): FastifyReply {
    const { message } = error;
    if (error instanceof FrameError) {
      this.log(error);
      const { code, remedy } = error;
      const speaks = code === 'wrong-version' ? this.wireVersions : undefined;
      return reply.code(error.httpStatus).send({ code, message, remedy, speaks });
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) this.logger.error({ err: error }, 'request failed');
    return reply.code(status).send({ code: error.code ?? 'internal', message, ...HTTP_REFUSALS[status] });
  }

  log({ message }: Error): void {
    const now = performance.now();
    if (now - (this.loggedMs.get(message) ?? -Infinity) < LOG_INTERVAL_MS) return;
    if (this.loggedMs.size > 100) this.loggedMs.clear();
    this.loggedMs.set(message, now);
    this.logger.warn({ reason: message }, 'frame refused');
  }
}
