import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConductorApi } from './conductor-api.js';
import type { AddRoutes } from './json-rpc/http-server.js';

type OnRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/**
 * For scripts that go from node to node, balancers that choose one, and monitors: `/healthz` covers only the process,
 * because a restart repairs none of these.
 *
 * - `GET /readyz`: the node could take over now, or sequences; 200, or 503 with the reason
 * - `GET /leader`: its sequencer is the active one; 200, or 503 with the reason
 * - `GET /clusterz`: the verdict on the whole cluster; 200, or 503 if that is `critical`. It names members and their
 *   troubles, so that it takes the role `read`; the others, which balancers and probes ask, take none
 */
export function readiness(api: ConductorApi): AddRoutes {
  return (app: FastifyInstance, gate) => {
    answerBy(app, '/readyz', 'ready', () => api.whyNotReady());
    answerBy(app, '/leader', 'leader', async () => api.whyNotActiveLeader());
    const whoMayRead: OnRequest = async (request, reply) =>
      gate.admit(request, reply, 'conductor_clusterStatus');
    answer(
      app,
      '/clusterz',
      async () => {
        const verdict = await api.clusterVerdict();
        return { isGood: verdict.level !== 'critical', body: verdict };
      },
      whoMayRead,
    );
  };
}

function answerBy(
  app: FastifyInstance,
  path: string,
  name: string,
  whyNot: () => Promise<string | undefined>,
): void {
  answer(app, path, async () => {
    const reason = await whyNot();
    const isGood = reason === undefined;
    return { isGood, body: isGood ? { [name]: true } : { [name]: false, reason } };
  });
}

function answer(
  app: FastifyInstance,
  path: string,
  judge: () => Promise<{ isGood: boolean; body: object }>,
  onRequest: OnRequest[] | OnRequest = [],
): void {
  for (const url of [path, `${path}/`]) {
    app.get(url, { onRequest }, async (_request, reply) => {
      const { isGood, body } = await judge();
      return reply
        .code(isGood ? 200 : 503)
        .type('application/json')
        .send(Buffer.from(`${JSON.stringify(body)}\n`));
    });
  }
}
