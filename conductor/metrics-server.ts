import { fastify, type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/** Serves the metrics on every path of its port, as op-conductor does. */
export async function startMetricsServer(
  registry: Registry,
  host: string,
  port: number,
): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true });
  app.get('/*', async (_request, reply) => {
    void reply.type(registry.contentType);
    return registry.metrics();
  });
  await app.listen({ host, port });
  return app;
}
