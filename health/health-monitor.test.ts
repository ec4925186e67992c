import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startFakeRpcServer,
  type FakeAnswer,
  type FakeRpcServer,
} from '../rpc/clients/testing/fake-rpc-server.js';
import { OpNodeClient } from '../rpc/clients/op-node-client.js';
import { HealthMonitor, type HealthMonitorOptions } from './health-monitor.js';
import type { HealthCode, HealthReport } from './health-report.js';
import type { Probes } from './probes/observation.js';

const nowMs = 1_795_222_706_900;
const nowSeconds = Math.floor(nowMs / 1000);

let headAgeSeconds: number;
let server: FakeRpcServer;
let node: OpNodeClient;
let monitor: HealthMonitor;
let reports: HealthReport[];
let waiting: Array<() => void>;

function healthyAnswer({ method }: { method: string }): FakeAnswer {
  if (method === 'opp2p_peerStats') return { result: { connected: 2 } };
  const hash = `0x${'11'.repeat(32)}`;
  const block = { hash, number: 7, parentHash: hash, timestamp: nowSeconds - headAgeSeconds };
  return { result: { unsafe_l2: block, safe_l2: block, finalized_l2: block } };
}

function nodeProbes(timeoutMs: number): Probes {
  return {
    syncStatus: { call: (options) => node.syncStatus(options), timeoutMs },
    peerStats: { call: (options) => node.peerStats(options), timeoutMs },
  };
}

const is =
  (wanted: HealthCode | 'ok') =>
  ({ reasons }: HealthReport): boolean =>
    (reasons[0]?.code ?? 'ok') === wanted;

function build(options: Partial<HealthMonitorOptions & { timeoutMs: number }> = {}): HealthMonitor {
  monitor = new HealthMonitor({
    probes: nodeProbes(options.timeoutMs ?? 10_000),
    limits: { unsafeIntervalSeconds: 5, minPeerCount: 1 },
    intervalMs: 20,
    now: () => nowMs,
    onReport: (report) => {
      reports.push(report);
      for (const wake of waiting.splice(0)) wake();
    },
    ...options,
  });
  return monitor;
}

/** The next matching report. Reports from before the call do not count. */
async function nextReport(fits: (report: HealthReport) => boolean = () => true): Promise<HealthReport> {
  for (let seen = reports.length; ; seen++) {
    while (reports.length === seen) await new Promise<void>((resolve) => waiting.push(resolve));
    if (fits(reports[seen]!)) return reports[seen]!;
  }
}

async function untilRequests(count: number): Promise<void> {
  while (server.requests.length < count) await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(async () => {
  headAgeSeconds = 1;
  reports = [];
  waiting = [];
  server = await startFakeRpcServer(healthyAnswer);
  node = new OpNodeClient({ url: server.url });
});
afterEach(async () => {
  await monitor.stop();
  await node.close();
  await server.close();
});

describe('HealthMonitor', () => {
  it('reports at once after the start, not one interval later', async () => {
    build({ intervalMs: 600_000 });
    expect(monitor.latest()).toBeNull();
    const first = nextReport();
    monitor.start();
    expect(await first).toMatchObject({ healthy: true, reasons: [], peers: 2, checkedAtMs: nowMs });
    expect(monitor.latest()).toBe(reports[0]);
  });

  it('sees a node hang, recover, fall behind, and die', async () => {
    build({ timeoutMs: 500 }).start();
    await nextReport(is('ok'));

    server.answer = () => 'hang';
    expect((await nextReport(is('node-unreachable'))).summary).toContain('no answer within 500 ms');

    server.answer = healthyAnswer;
    expect((await nextReport(({ healthy }) => healthy)).unsafeHead?.number).toBe(7);

    headAgeSeconds = 6;
    const old = await nextReport(is('unsafe-head-old'));
    expect(old.summary).toBe('unsafe head 7 is 6 s old, 5 s allowed');

    headAgeSeconds = 0;
    await nextReport(({ healthy }) => healthy);
    await server.close();
    const dead = await nextReport(({ summary }) => summary.includes('ECONNREFUSED'));
    expect(dead).toMatchObject({ healthy: false, status: 'unhealthy' });
    expect(is('node-unreachable')(dead)).toBe(true);
  });

  it('counts a node that hangs only in the second probe as unreachable', async () => {
    server.answer = (request) => (request.method === 'opp2p_peerStats' ? 'hang' : healthyAnswer(request));
    build({ timeoutMs: 500 }).start();
    const report = await nextReport(({ unsafeHead }) => unsafeHead !== undefined);
    expect(report).toMatchObject({ reasons: [{ code: 'node-unreachable' }], unsafeHead: { number: 7 } });
  });

  it('counts the calls in a row without an answer', async () => {
    server.answer = () => 'reset';
    build().start();
    const failures = (): number[] => reports.map(({ reasons }) => reasons[0]?.failures ?? 0);
    while (reports.length < 3) await nextReport();
    expect(failures().slice(0, 3)).toEqual([1, 2, 3]);
    server.answer = healthyAnswer;
    await nextReport(is('ok'));
    server.answer = () => 'reset';
    expect((await nextReport(is('node-unreachable'))).reasons[0]?.failures).toBe(1);
  });

  describe('with a backend that hangs', () => {
    let hangs: boolean;
    let asked: number;
    let give: () => void;
    const rollupBoost = {
      timeoutMs: 1200,
      call: ({ timeoutMs, signal }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined }) => {
        asked += 1;
        if (!hangs) return Promise.resolve({ health: 'healthy' as const, tolerated: false });
        return new Promise<never>((resolve, reject) => {
          give = () => resolve({ health: 'unhealthy', tolerated: false } as never);
          const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
          signal?.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason as Error)));
        });
      },
    };
    beforeEach(() => {
      hangs = false;
      asked = 0;
    });

    it('continues with the others, and calls it unreachable at its own deadline', async () => {
      build({ probes: { ...nodeProbes(10_000), rollupBoost } }).start();
      await nextReport();
      hangs = true;
      const before = asked;
      while (asked === before) await nextReport();
      headAgeSeconds = 6;
      // Long before the deadline of the hanging probe.
      expect((await nextReport(is('unsafe-head-old'))).reasons).toHaveLength(1);
      headAgeSeconds = 0;
      await nextReport(is('ok'));
      expect(asked).toBe(before + 1);
      expect((await nextReport(is('rollup-boost-unreachable'))).summary).toContain(
        'no answer within 1200 ms',
      );
    });

    it('reports a late answer when it comes, not one round later', async () => {
      build({ probes: { ...nodeProbes(10_000), rollupBoost }, intervalMs: 600_000 }).start();
      await nextReport();
      hangs = true;
      const early = nextReport();
      monitor.probeNow();
      expect(is('ok')(await early)).toBe(true);
      const late = nextReport();
      give();
      expect(is('rollup-boost-unhealthy')(await late)).toBe(true);
    });

    it('does not report before it knows everything once', async () => {
      hangs = true;
      build({ probes: { ...nodeProbes(10_000), rollupBoost } }).start();
      expect(is('rollup-boost-unreachable')(await nextReport())).toBe(true);
      expect(reports).toHaveLength(1);
    });
  });

  it('asks in parallel, so that a hung node costs one deadline and not one per probe', async () => {
    server.answer = () => 'hang';
    build({ timeoutMs: 600_000 }).start();
    await untilRequests(2);
    expect(server.requests.map(({ method }) => method).sort()).toEqual([
      'opp2p_peerStats',
      'optimism_syncStatus',
    ]);
    expect(reports).toEqual([]);
  });

  it('measures the interval from start to start', async () => {
    const starts: number[] = [];
    build({ intervalMs: 300, timeoutMs: 200, now: () => (starts.push(performance.now()), nowMs) });
    server.answer = () => 'hang'; // each round takes its 200 ms
    monitor.start();
    while (starts.length < 5) await nextReport();
    const gaps = starts.slice(1).map((start, i) => start - starts[i]!);
    expect(starts[4]! - starts[0]!).toBeGreaterThan(4 * 300 - 100); // a little jitter at both ends
    expect(Math.min(...gaps)).toBeLessThan(490); // from end to start it would be 500 at least
  });

  it('never runs two rounds at once, however short the interval', async () => {
    let open = 0;
    let most = 0;
    const probes = nodeProbes(30);
    probes.syncStatus.call = async (options) => {
      most = Math.max(most, ++open);
      try {
        return await node.syncStatus(options);
      } finally {
        open--;
      }
    };
    server.answer = () => 'hang';
    build({ probes, intervalMs: 1 }).start();
    monitor.probeNow();
    while (reports.length < 4) await nextReport();
    expect(most).toBe(1);
  });

  it('probes at once when told, and again after a round in progress', async () => {
    build({ intervalMs: 600_000 });
    monitor.start();
    await nextReport();
    monitor.probeNow();
    await nextReport();
    expect(reports).toHaveLength(2);

    server.requests.length = 0;
    const two = new Promise<void>((resolve) => {
      server.answer = (request) => {
        // The event happens after the node has answered the first of the two rounds.
        if (server.requests.length === 2) {
          headAgeSeconds = 1;
          monitor.probeNow();
          resolve();
        }
        return healthyAnswer(request);
      };
    });
    headAgeSeconds = 9;
    monitor.probeNow();
    await two;
    while (reports.length < 4) await nextReport();
    expect(server.requests).toHaveLength(4);
    expect(reports[3]!.healthy).toBe(true);
  });

  it('ends running probes on stop, without a report, and leaves nothing open', async () => {
    server.answer = () => 'hang';
    build({ timeoutMs: 600_000 }).start();
    await untilRequests(2);
    await monitor.stop();
    expect(reports).toEqual([]);
    expect(monitor.latest()).toBeNull();
    while ((await server.openConnections()) > 0) await new Promise((resolve) => setImmediate(resolve));

    monitor.probeNow();
    expect(server.requests).toHaveLength(2);
  });

  it('can be stopped by its own listener', async () => {
    await new Promise<void>((resolve) => {
      build({ onReport: () => void monitor.stop().then(resolve) }).start();
    });
    expect(server.requests).toHaveLength(2);
  });
});
