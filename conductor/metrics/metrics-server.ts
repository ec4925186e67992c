import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, type Registry } from 'prom-client';
import { listen } from '../../common/listen.js';
import { createServer, useTls, type TlsChoice, type TlsMaterial } from '../../common/tls-server.js';
import { AnswersUnderWay } from '../../rpc/server/json-rpc/answers-under-way.js';
import { shareTurns } from '../../rpc/server/json-rpc/event-loop-turns.js';

interface MetricsServerOptions {
  registry: Registry;
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Called before each answer to update the gauges. */
  refresh: () => Promise<void>;
  /** Absent: plain HTTP. */
  tls?: TlsChoice | undefined;
  /** Provides the certificate, at once and after each change. */
  openTls?: (use: (material: TlsMaterial) => void) => Promise<void>;
}

/** For a few scrapers; further connections are closed at once. */
const CONNECTIONS_MAX = 64;
/** A scrape has no body. */
const BODY_BYTES_MAX = 64 * 1024;
/** A request must have arrived completely within this time. */
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 120_000;

/** Serves the metrics on every path of its port, as op-conductor does, with the two metrics of Go's handler. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<FastifyInstance> {
  const { registry, host, port, refresh } = options;
  const registers = [registry];
  const inFlight = new Gauge({
    name: 'promhttp_metric_handler_requests_in_flight',
    help: 'Current number of scrapes being served.',
    registers,
  });
  const served = new Counter({
    name: 'promhttp_metric_handler_requests_total',
    help: 'Total number of scrapes by HTTP status code.',
    labelNames: ['code'],
    registers,
  });
  for (const code of ['200', '500', '503']) served.inc({ code }, 0);

  const app = createServer(
    {
      forceCloseConnections: true,
      bodyLimit: BODY_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
    },
    { headersTimeout: REQUEST_TIMEOUT_MS },
    options.tls,
  );
  await options.openTls?.((material) => useTls(app, material));
  app.addHook('onRequest', async (_request, reply) => {
    inFlight.inc();
    // Fires for every request; `onResponse` does not if the scraper went away before its answer.
    reply.raw.once('close', () => inFlight.dec());
  });
  app.addHook('onResponse', async (_request, reply) => served.inc({ code: String(reply.statusCode) }));
  let page: Promise<string> | undefined;
  const render = async (): Promise<string> => {
    await refresh();
    return registry.metrics();
  };
  app.route({
    url: '/*',
    method: ['GET', 'HEAD', 'POST'],
    handler: async (_request, reply) => {
      // Concurrent scrapes share a page: a page for each would delay heartbeats.
      page ??= render().finally(() => (page = undefined));
      void reply.type(registry.contentType);
      return page;
    },
  });
  shareTurns(app);
  new AnswersUnderWay(app.server, REQUEST_TIMEOUT_MS);
  await listen(app, { host, port, connectionsMax: CONNECTIONS_MAX });
  return app;
}
