import { EventEmitter, once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { request } from 'undici';
import type { HealthCode, HealthReport } from '../../health/health-report.js';
import { TIMING_PROFILES, type ElectionCause, type RaftNode } from '../../raft/index.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import type { CallReport } from '../../rpc/server/rpc-server.js';
import { FlashblocksMetrics } from '../../rpc/flashblocks/index.js';
import { RpcCode, RpcError } from '../../rpc/server/rpc-error.js';
import { readFixtureText } from '../../common/testing/fixtures.js';
import type { Verdict } from '../chain/chain-state.js';
import type { Conductor } from '../api/conductor.js';
import { committed, hashOf, refOf } from '../testing/chain.js';
import { startMetricsServer } from './metrics-server.js';
import { Metrics } from './metrics.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

let metrics: Metrics;
let raft: EventEmitter;
let conductor: EventEmitter;

beforeEach(() => {
  metrics = new Metrics('v1.2.3');
  raft = new EventEmitter();
  conductor = new EventEmitter();
  metrics.watch(raft as unknown as RaftNode<Verdict>, conductor as unknown as Conductor);
});

interface Family {
  type: string;
  help: string;
  /** Names of labels, and the bounds of buckets. */
  labels: Set<string>;
  buckets: Set<string>;
  samples: Map<string, number>;
}

/** Reads Prometheus' text format. */
function parsePage(page: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let family: Family | undefined;
  for (const line of page.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      family = { type: '', help: rest, labels: new Set(), buckets: new Set(), samples: new Map() };
      families.set(name, family);
    } else if (kind === 'TYPE') {
      family!.type = rest;
    } else if (line !== '') {
      const [, sample = '', labels = '', value] = /^([^ {]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key!, text!]);
      for (const [key, text] of pairs) {
        if (key === 'le') family!.buckets.add(text!);
        else family!.labels.add(key!);
      }
      const named = pairs.map(([key, text]) => `${key}=${text}`).sort();
      family!.samples.set([sample, ...named].join(' '), Number(value));
    }
  }
  return families;
}

const page = async (): Promise<Map<string, Family>> => parsePage(await metrics.registry.metrics());
/** Value of a sample, as in `name key=value`, labels in order. */
async function value(name: string, ...labels: string[]): Promise<number | undefined> {
  const found = [...(await page()).values()].flatMap(({ samples }) => [...samples]);
  return new Map(found).get([name, ...labels].join(' '));
}

const call = (changes: Partial<CallReport> = {}): CallReport => ({
  method: 'conductor_leader',
  durationMs: 4,
  decodeMs: 1,
  paramsBytes: 2,
  resultBytes: 4,
  ...changes,
});

function report(
  code: HealthCode | undefined,
  severity: 'degraded' | 'unhealthy' = 'unhealthy',
): HealthReport {
  const reasons = code
    ? [{ check: 'rollup-boost' as const, code, severity, message: 'whatever it said: 42' }]
    : [];
  const status = reasons[0]?.severity ?? 'healthy';
  return { healthy: status !== 'unhealthy', status, reasons, summary: '', checkedAtMs: 0 };
}

const status: ConductorStatus = {
  id: 'a',
  version: 'v1.2.3',
  uptimeMs: 1,
  rpcPort: 1,
  clusterId: null,
  role: 'leader',
  ready: true,
  term: 7,
  leader: { id: 'a', addr: 'a:1' },
  transferring: false,
  leaseRemainingMs: 1,
  commitIndex: 1,
  appliedIndex: 1,
  lastIndex: 1,
  snapshotIndex: 0,
  logBytes: 1234,
  membership: { version: 1, servers: [] },
  timing: { ...TIMING_PROFILES.lan, profile: 'lan' },
  peers: [
    {
      id: 'b',
      addr: 'b:1',
      suffrage: 0,
      state: 'replicate',
      matchIndex: 1,
      lagEntries: 3,
      lastContactMs: 250,
      fitness: 'fit',
    },
  ],
  head: {
    number: 42,
    hash: hashOf(42),
    parentHash: hashOf(41),
    timestamp: Math.floor(Date.now() / 1000) - 100,
  },
  node: { reachable: true, reason: '', head: null, lagBlocks: 2, sequencerActive: true },
  health: { status: 'degraded', summary: '', reasons: [], checkedAtMs: 0 },
  active: true,
  paused: false,
  stopped: false,
  leaderOverridden: false,
};

/** At least one sample of everything. */
function exercise(): void {
  metrics.up();
  metrics.addProcess();
  new FlashblocksMetrics(metrics.registry, '').clientsConnected(0);
  metrics.refresh(status);
  metrics.healthChecked(report(undefined));
  metrics.called(call());
  metrics.called(call({ error: new RpcError('no', { code: RpcCode.internal, reason: 'crashed' }) }));
  conductor.emit('transferred', true);
  conductor.emit('sequencerStarted', true);
  conductor.emit('sequencerStopped', true);
  conductor.emit('stateChanged', { leader: true, healthy: true, active: false });
  conductor.emit('turn', 1);
}

/** Families of op-conductor's page that ours does not have, and why. */
const LEFT_OUT: [RegExp, string][] = [[/^go_/, 'the Go runtime; ours is nodejs_*']];

describe('the metrics server', () => {
  let server: FastifyInstance;
  let refreshed: number;
  beforeEach(async () => {
    refreshed = 0;
    exercise();
    const refresh = (): void => void refreshed++;
    server = await startMetricsServer({ registry: metrics.registry, host: '127.0.0.1', port: 0, refresh });
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

  it('takes no more connections than scrapers need', async () => {
    const { port } = server.server.address() as { port: number };
    const idle = Array.from({ length: 64 }, () => net.connect(port, '127.0.0.1'));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    const refused = net.connect(port, '127.0.0.1').on('error', () => undefined);
    await once(refused, 'close');
    for (const socket of idle) socket.destroy();
    await noConnections();
    expect(await get('/')).toContain('op_conductor_up');
  });

  it('counts a scrape as over when the scraper goes away before its answer', async () => {
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
    // Not read off a page: who asks while one is being made for another shares it, with the gauge as it was then.
    const gauge = metrics.registry.getSingleMetric('promhttp_metric_handler_requests_in_flight')!;
    const inFlight = async (): Promise<unknown> => (await gauge.get()).values[0]?.value;
    for (let turns = 0; turns < 1_000 && (await inFlight()) !== 0; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await inFlight()).toBe(0);
  });

  it('makes one page for all who ask at the same time', async () => {
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
    it('is covered: the same names, types, texts, labels and buckets', async () => {
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

describe('health checks', () => {
  it("are counted by op-conductor's texts, whatever the programs say", async () => {
    const codes = [
      undefined,
      'node-unreachable',
      'unsafe-head-old',
      'safe-head-old',
      'execution-unreachable',
    ] as const;
    for (const code of codes) metrics.healthChecked(report(code));
    metrics.healthChecked(report('rollup-boost-partial', 'degraded'));
    const name = 'op_conductor_healthchecks_count';
    expect(await value(name, 'error=', 'success=true')).toBe(2);
    expect(await value(name, 'error=cannot connect to sequencer rpc endpoints', 'success=false')).toBe(1);
    expect(await value(name, 'error=sequencer is not healthy', 'success=false')).toBe(2);
    expect((await page()).get(name)?.samples.size).toBe(4);
  });
});

describe('elections', () => {
  const stand = (cause: ElectionCause, prevote: boolean): boolean =>
    raft.emit('electionStarted', { type: 'electionStarted', term: 2, cause, prevote });
  const elections = (reason: string): Promise<number | undefined> =>
    value('op_conductor_elections_total', `reason=${reason}`);
  const failovers = (): Promise<(number | undefined)[]> =>
    Promise.all([
      value('op_conductor_failover_duration_seconds_count'),
      value('op_conductor_handover_duration_seconds_count'),
    ]);

  it('are counted by their cause, and pre-votes are none', async () => {
    stand('timeout', true);
    expect(await elections('timeout')).toBeUndefined();
    stand('timeout', false);
    expect(await elections('timeout')).toBe(1);
    for (const cause of ['retry', 'leader-gone', 'transfer'] as const) {
      stand(cause, false);
      expect(await elections(cause)).toBe(1);
    }
    expect(await elections('timeout')).toBe(1);
  });

  it('are measured until the sequencer runs here, apart for hand-overs', async () => {
    stand('timeout', true);
    stand('timeout', false);
    raft.emit('role', { role: 'leader', leader: 'a' });
    conductor.emit('sequencerStarted', true);
    expect(await failovers()).toEqual([1, 0]);
    // An operator restarted op-node: nobody failed.
    conductor.emit('sequencerStarted', true);
    stand('transfer', false);
    raft.emit('role', { role: 'leader', leader: 'a' });
    conductor.emit('sequencerStarted', true);
    expect(await failovers()).toEqual([1, 1]);
    // Another node won.
    stand('timeout', true);
    raft.emit('role', { role: 'follower', leader: 'c' });
    conductor.emit('sequencerStarted', true);
    expect(await failovers()).toEqual([1, 1]);
  });
});

describe('elections of a paused conductor', () => {
  it('are no failover, however late it is resumed', async () => {
    for (const cause of ['timeout', 'transfer'] as const) {
      raft.emit('electionStarted', { type: 'electionStarted', term: 2, cause, prevote: false });
      raft.emit('role', { role: 'leader', leader: 'a' });
      conductor.emit('resumed');
      conductor.emit('sequencerStarted', true);
    }
    expect(await value('op_conductor_failover_duration_seconds_count')).toBe(0);
    expect(await value('op_conductor_handover_duration_seconds_count')).toBe(0);
  });
});

describe('commits', () => {
  it('are measured by stage, and counted', async () => {
    raft.emit('committed', 3);
    raft.emit('stored', 2);
    raft.emit('proposed', { replicateMs: 10, applyMs: 1 });
    metrics.called(call({ method: 'conductor_commitUnsafePayload', durationMs: 20, decodeMs: 5 }));
    expect(await value('consensus_commits_total')).toBe(3);
    expect(await value('op_conductor_raft_fsync_duration_seconds_sum')).toBe(0.002);
    const sum = (stage: string): Promise<number | undefined> =>
      value('op_conductor_commit_duration_seconds_sum', `stage=${stage}`);
    expect(await Promise.all(['decode', 'replicate', 'apply', 'total'].map(sum))).toEqual([
      0.005, 0.01, 0.001, 0.02,
    ]);
  });

  it('that are refused are counted by reason, and not measured', async () => {
    const error = new RpcError('x', { reason: 'not-leader' });
    metrics.called(call({ method: 'commit-unsafe-payload', error }));
    metrics.called(call({ method: 'conductor_transferLeader', error }));
    expect(await value('op_conductor_rejected_commits_total', 'reason=not-leader')).toBe(1);
    expect(await value('op_conductor_commit_duration_seconds_count', 'stage=total')).toBeUndefined();
  });

  it('tell what became of the block', async () => {
    const block = committed(refOf(5));
    metrics.applied(block, { type: 'append' });
    metrics.applied(block, { type: 'gap', missing: 3 });
    metrics.applied(block, { type: 'replacement', replaced: [block, block] });
    metrics.applied(block, { type: 'refused', reason: '' });
    expect(await value('op_conductor_committed_bytes_total')).toBe(3 * block.byteLength);
    expect(await value('op_conductor_chain_gaps_total')).toBe(1);
    expect(await value('op_conductor_replaced_blocks_total')).toBe(2);
  });
});

describe('calls', () => {
  it('are counted by method and outcome', async () => {
    metrics.called(call());
    metrics.called(call());
    metrics.called(call({ error: new RpcError('no', { reason: 'not-leader' }), resultBytes: 0 }));
    const of = (name: string, ...labels: string[]): Promise<number | undefined> =>
      value(`op_conductor_rpc_server_${name}`, ...labels, 'method=conductor_leader', 'rpc=main');
    expect(await of('requests_total')).toBe(3);
    expect(await of('responses_total', 'error=<nil>')).toBe(2);
    expect(await of('responses_total', 'error=rpc_-32000')).toBe(1);
    expect(await of('params_size_total')).toBe(6);
    expect(await of('results_size_total')).toBe(8);
    expect(await of('request_duration_seconds_sum')).toBeCloseTo(0.012);
  });
});

describe('calls that backends answer with codes of their own', () => {
  it('do not make labels without end', async () => {
    for (let code = 1; code <= 100; code += 1)
      metrics.called(call({ error: new RpcError('no', { code, reason: 'x' }) }));
    metrics.called(call({ error: new RpcError('no', { code: 1, reason: 'x' }) }));
    const of = (error: string): Promise<number | undefined> =>
      value(
        'op_conductor_rpc_server_responses_total',
        `error=${error}`,
        'method=conductor_leader',
        'rpc=main',
      );
    expect(await of('rpc_1')).toBe(2);
    expect(await of('rpc_100')).toBeUndefined();
    const { samples } = (await page()).get('op_conductor_rpc_server_responses_total')!;
    expect(samples.size).toBeLessThan(20);
    expect([...samples.values()].reduce((sum, count) => sum + count)).toBe(101);
  });
});

describe('gauges', () => {
  const names = ['leader', 'healthy', 'active', 'paused', 'leader_overridden'];
  const switches = (): Promise<(number | undefined)[]> =>
    Promise.all(names.map((name) => value(`op_conductor_${name}`)));

  it('show what the status says', async () => {
    metrics.refresh(status);
    expect(await switches()).toEqual([1, 1, 1, 0, 0]);
    expect(await value('op_conductor_term')).toBe(7);
    expect(await value('sequencer_leader_term')).toBe(7);
    expect(await value('op_conductor_committed_head_number')).toBe(42);
    expect(await value('op_conductor_committed_head_age_seconds')).toBeGreaterThanOrEqual(100);
    expect(await value('op_conductor_peer_lag_entries', 'peer=b')).toBe(3);
    expect(await value('op_conductor_peer_last_contact_seconds', 'peer=b')).toBe(0.25);
  });

  it('forget what is over', async () => {
    metrics.refresh(status);
    metrics.refresh({
      ...status,
      role: 'follower',
      leader: null,
      peers: [],
      head: null,
      node: { ...status.node, sequencerActive: null, lagBlocks: null },
      health: { ...status.health, status: 'unhealthy' },
      paused: true,
      leaderOverridden: true,
    });
    expect(await switches()).toEqual([0, 0, 0, 1, 1]);
    expect(await value('sequencer_leader_term')).toBe(0);
    expect(await value('op_conductor_committed_head_age_seconds')).toBeNaN();
    expect(await value('op_conductor_peer_lag_entries', 'peer=b')).toBeUndefined();
  });
});

describe('docs/METRICS.md', () => {
  const rows = new Map(
    [
      ...readFileSync(path.join(root, 'docs/METRICS.md'), 'utf8').matchAll(
        /^\| `([\w*]+)`\s*\| (\w+)\s*\| ([^|]*)\|/gm,
      ),
    ].map(([, name, type, labels]) => [
      name!,
      { type: type!, labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, l]) => l!) },
    ]),
  );
  const documented = (name: string): { type: string; labels: string[] } | undefined =>
    rows.get(name) ?? rows.get(`${name.split('_', 1)[0]}_*`);

  it('describes every metric of the code, with its type and labels', async () => {
    exercise();
    const all = await metrics.registry.getMetricsAsJSON();
    for (const { name, type } of all) {
      const row = documented(name);
      if (!row) throw new Error(`${name} is not documented`);
      if (!rows.has(name)) continue;
      const { labelNames } = metrics.registry.getSingleMetric(name) as unknown as { labelNames: string[] };
      expect({ name, ...row }).toEqual({ name, type: String(type), labels: [...labelNames] });
    }
    expect(all.length).toBeGreaterThan(40);
  });

  it('describes no metric that the code does not have', () => {
    const sources = ['conductor', 'rpc']
      .flatMap((folder) =>
        readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
          .map((file) => readFileSync(path.join(root, folder, file), 'utf8')),
      )
      .join('\n')
      .replaceAll('${prefix}', 'op_conductor_rpc_server');
    const unknown = [...rows.keys()].filter((name) => !name.endsWith('*') && !sources.includes(name));
    expect(unknown).toEqual([]);
  });
});
