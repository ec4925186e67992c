import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Faults } from './faults.js';

const SAYS = {
  healthy: { status: 200, name: 'Healthy' },
  partial: { status: 206, name: 'PartialContent' },
  unhealthy: { status: 503, name: 'ServiceUnavailable' },
};

/** The health endpoints of a rollup-boost in front of the execution client, both variants. */
export function addRollupBoost(server: FastifyInstance, faults: Faults): void {
  const health = async (reply: FastifyReply): Promise<(typeof SAYS)['healthy'] | undefined> => {
    await faults.running('execution');
    if (faults.rollupBoost !== 'hung') return SAYS[faults.rollupBoost];
    reply.hijack();
    return undefined;
  };
  server.get('/healthz', async (_request, reply) => {
    const says = await health(reply);
    return says ? reply.code(says.status).send() : reply;
  });
  server.get('/rollup-boost', async (_request, reply) => {
    const says = await health(reply);
    return says ? { version: '0.7.0', rollup_boost_health: says.name } : reply;
  });
}
