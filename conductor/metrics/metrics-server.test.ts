import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { request } from 'undici';
import { TestAuthority } from '../../raft/transport/testing/certificates.js';
import { readFixtureText } from '../../common/testing/fixtures.js';
import { startMetricsServer } from './metrics-server.js';
import { MetricsUnderTest, parsePage } from './testing/metrics-under-test.js';

let t: MetricsUnderTest;

beforeEach(() => {
  t = new MetricsUnderTest();
});

/** Families of op-conductor's page that ours lacks, and why. */
const LEFT_OUT: [RegExp, string][] = [[/^go_/, 'the Go runtime; ours is nodejs_*']];

describe('the metrics server', () => {
  let server: FastifyInstance;
  let refreshed: number;
  beforeEach(async () => {
    refreshed = 0;
    t.exercise();
    const refresh = async (): Promise<void> => void refreshed++;
    server = await startMetricsServer({ registry: t.metrics.registry, host: '127.0.0.1', port: 0, refresh });
  });
  afterEach(() => server.close());

  const get = async (url: string): Promise<string> => {
    const { port } = server.server.address() as { port: number };
    const { statusCode, body, headers } = await request(`http://127.0.0.1:${port}${url}`);
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    return body.text();
  };

  const noConnections = async (): Promise<void> => {
    while (
      await new Promise<number>((resolve) => server.server.getConnections((_, count) => resolve(count)))
    ) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('accepts only as many connections as scrapers need', async () => {
    const { port } = server.server.address() as { port: number };
    const idle = Array.from({ length: 64 }, () => net.connect(port, '127.0.0.1'));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    const refused = net.connect(port, '127.0.0.1').on('error', () => undefined);
    await once(refused, 'close');
    for (const socket of idle) socket.destroy();
    await noConnections();
    expect(await get('/')).toContain('op_conductor_up');
  });

  it('counts a scrape as ended if the scraper goes away before its answer', async () => {
    const { port } = server.server.address() as { port: number };
    let requests = 0;
    server.server.on('request', () => requests++);
    const scrapers = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1'));
    await Promise.all(scrapers.map((socket) => once(socket, 'connect')));
    for (const socket of scrapers) {
      socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3), () => socket.destroy());
    }
    while (requests < 3 * scrapers.length) await new Promise((resolve) => setImmediate(resolve));
    await noConnections();
    // Not read from a page: a scrape that joins one in progress shares its page, with the older gauge.
    const gauge = t.metrics.registry.getSingleMetric('promhttp_metric_handler_requests_in_flight')!;
    const inFlight = async (): Promise<unknown> => (await gauge.get()).values[0]?.value;
    for (let turns = 0; turns < 1_000 && (await inFlight()) !== 0; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await inFlight()).toBe(0);
  });

  it('makes one page for all concurrent scrapes', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => server.inject('/metrics')));
    for (const { body } of answers) expect(body).toContain('op_conductor_up');
    expect(refreshed).toBe(1);
    await get('/metrics');
    expect(refreshed).toBe(2);
  });

  it('answers on every path, with fresh gauges', async () => {
    for (const url of ['/', '/metrics', '/any/where?x=1']) {
      expect(
        parsePage(await get(url))
          .get('op_conductor_up')
          ?.samples.get('op_conductor_up'),
      ).toBe(1);
    }
    expect(refreshed).toBe(3);
    const counted = parsePage(await get('/')).get('promhttp_metric_handler_requests_total');
    expect(counted?.samples.get('promhttp_metric_handler_requests_total code=200')).toBe(3);
  });

  describe("op-conductor's own page", () => {
    it('is covered, with the same names, types, texts, labels and buckets', async () => {
      const theirs = parsePage(readFixtureText('recordings/metrics.txt'));
      const ours = parsePage(await get('/metrics'));
      const compared: string[] = [];
      for (const [name, { type, help, labels, buckets }] of theirs) {
        if (LEFT_OUT.some(([pattern]) => pattern.test(name))) continue;
        const found = ours.get(name);
        // prom-client's own process metrics have texts of their own.
        const text = name.startsWith('process_') ? found?.help : help;
        expect({ name, ...found, samples: undefined }).toEqual({
          name,
          type,
          help: text,
          labels,
          buckets,
          samples: undefined,
        });
        compared.push(name);
      }
      expect(compared.length).toBeGreaterThanOrEqual(22);
      const unused = LEFT_OUT.filter(([pattern]) => ![...theirs.keys()].some((name) => pattern.test(name)));
      expect(unused).toEqual([]);
    });
  });
});

describe('the metrics server with TLS', () => {
  it('shows the certificate that it has, and the next one as soon as there is one', async () => {
    const authority = await TestAuthority.make();
    const certificate = async (): Promise<{ cert: Buffer; key: Buffer }> => {
      const { cert, key } = await authority.issue({ dnsNames: ['localhost'] });
      return { cert: Buffer.from(cert), key: Buffer.from(key) };
    };
    let renew: ((material: { cert: Buffer; key: Buffer }) => void) | undefined;
    const server = await startMetricsServer({
      ...{ registry: t.metrics.registry, host: '127.0.0.1', port: 0, refresh: async () => undefined },
      tls: { asksForCertificate: false },
      openTls: async (use) => {
        renew = use;
        use(await certificate());
      },
    });
    const { port } = server.server.address() as { port: number };
    const scrape = (): Promise<{ status: number | undefined; serial: string }> =>
      new Promise((resolve, reject) => {
        const options = { host: 'localhost', port, path: '/metrics', ca: authority.pem, agent: false };
        const sent = https.get(options, (response) => {
          const { serialNumber: serial } = (response.socket as TLSSocket).getPeerCertificate();
          response.resume().on('end', () => resolve({ status: response.statusCode, serial }));
        });
        sent.on('error', reject);
      });
    try {
      const first = await scrape();
      expect(first.status).toBe(200);
      await expect(request(`http://127.0.0.1:${port}/`)).rejects.toThrow();
      renew?.(await certificate());
      const second = await scrape();
      expect(second.status).toBe(200);
      expect(second.serial).not.toBe(first.serial);
    } finally {
      await server.close();
    }
  });
});
