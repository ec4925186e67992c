import type { FastifyInstance } from 'fastify';
import type { ConductorApi } from './conductor-api.js';
import type { AddRoutes } from './json-rpc/http-server.js';

/**
 * `GET /readyz`: 200 while the conductor runs and knows a leader, else 503 with the reason. Beside `/healthz`, which
 * tells of the process alone: a restart repairs neither of these.
 */
export function readiness(api: ConductorApi): AddRoutes {
  return (app: FastifyInstance) => {
    for (const url of ['/readyz', '/readyz/']) {
      app.get(url, async (_request, reply) => {
        const reason = whyNotReady(api);
        const answer = reason === undefined ? { ready: true } : { ready: false, reason };
        return reply
          .code(reason === undefined ? 200 : 503)
          .type('application/json')
          .send(Buffer.from(`${JSON.stringify(answer)}\n`));
      });
    }
  };
}

function whyNotReady(api: ConductorApi): string | undefined {
  if (api.stopped()) return 'the conductor is stopped';
  if (api.leaderWithId().id !== '') return undefined;
  return api.clusterMembership().servers === null
    ? 'the node belongs to no cluster yet'
    : 'the node knows no leader';
}
