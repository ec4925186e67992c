import type { FastifyReply } from 'fastify';

/** Answers as Go's `http.Error` does. */
export function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${text}\n`);
}
