import type { FastifyInstance } from 'fastify';
import type { ConductorApi } from './conductor-api.js';
import type { AddRoutes } from './json-rpc/http-server.js';

/**
 * For whoever goes from node to node or chooses one: `/healthz` tells of the process alone, since a restart repairs
 * neither of these. Both answer 200, or 503 with the reason.
 *
 * - `GET /readyz`: the node could take over now, or sequences
 * - `GET /leader`: its sequencer is the active one
 */
export function readiness(api: ConductorApi): AddRoutes {
  return (app: FastifyInstance) => {
    answerBy(app, '/readyz', 'ready', () => api.whyNotReady());
    answerBy(app, '/leader', 'leader', async () => api.whyNotActiveLeader());
  };
}

function answerBy(
  app: FastifyInstance,
  path: string,
  name: string,
  whyNot: () => Promise<string | undefined>,
): void {
  for (const url of [path, `${path}/`]) {
    app.get(url, async (_request, reply) => {
      const reason = await whyNot();
      const answer = reason === undefined ? { [name]: true } : { [name]: false, reason };
      return reply
        .code(reason === undefined ? 200 : 503)
        .type('application/json')
        .send(Buffer.from(`${JSON.stringify(answer)}\n`));
    });
  }
}
