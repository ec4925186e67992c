import { EventEmitter } from 'node:events';
import type { HealthCode, HealthReport } from '../../../health/health-report.js';
import { TIMING_PROFILES } from '../../../raft/index.js';
import type { RaftNodeEvents } from '../../../raft/index.js';
import { FlashblocksMetrics } from '../../../rpc/flashblocks/flashblocks-metrics.js';
import type { ClusterVerdict } from '../../../rpc/server/cluster-verdict.js';
import type { ConductorStatus } from '../../../rpc/server/conductor-status.js';
import { RpcCode, RpcError } from '../../../rpc/server/json-rpc/rpc-error.js';
import type { CallReport } from '../../../rpc/server/json-rpc/call-report.js';
import type { ControlEvents } from '../../control/control-events.js';
import { hashOf } from '../../testing/chain.js';
import { Metrics } from '../metrics.js';

interface Family {
  type: string;
  help: string;
  /** Names of labels, and the bounds of buckets. */
  labels: Set<string>;
  buckets: Set<string>;
  samples: Map<string, number>;
}

/** Reads Prometheus' text format. */
export function parsePage(page: string): Map<string, Family> {
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

/** A call that ended. */
export const call = (changes: Partial<CallReport> = {}): CallReport => ({
  method: 'conductor_leader',
  durationMs: 4,
  decodeMs: 1,
  paramsBytes: 2,
  resultBytes: 4,
  ...changes,
});

/** The report of a health check with this failure. */
export function report(
  code: HealthCode | undefined,
  severity: 'degraded' | 'unhealthy' = 'unhealthy',
): HealthReport {
  const reasons = code
    ? [{ check: 'rollup-boost' as const, code, severity, message: 'whatever it said: 42' }]
    : [];
  const status = reasons[0]?.severity ?? 'healthy';
  return { healthy: status !== 'unhealthy', status, reasons, summary: '', checkedAtMs: 0 };
}

/** The status of a healthy leader. */
export const status: ConductorStatus = {
  id: 'a',
  version: 'v1.2.3',
  uptimeMs: 1,
  rpcPort: 1,
  clusterId: null,
  recordFormat: 1,
  witness: false,
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
  doubted: [],
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
  node: {
    reachable: true,
    reason: '',
    head: null,
    lagBlocks: 2,
    sequencerActive: true,
    branch: 'on',
    leftAt: null,
    startHeldBy: '',
    overriddenSinceMs: null,
  },
  health: { status: 'degraded', summary: '', reasons: [], checkedAtMs: 0 },
  active: true,
  paused: false,
  maintenance: { cluster: null, members: {}, halt: null },
  halt: null,
  stopped: false,
  leaderOverridden: false,
};

/** The verdict on a healthy cluster. */
export const verdict: ClusterVerdict = {
  ...{ schemaVersion: 1, level: 'ok', problems: [], leader: 'a' },
  ...{ voters: 3, votersKeepingUp: 3, failureTolerance: 1 },
};

/** The metrics of a process, and the sources that they listen to. */
export class MetricsUnderTest {
  readonly metrics = new Metrics('v1.2.3');
  readonly raft = Object.assign(new EventEmitter<RaftNodeEvents>(), { nodeId: 'a' });
  readonly controller = new EventEmitter<ControlEvents>();

  constructor() {
    this.metrics.watch(this.raft, this.controller);
  }

  async page(): Promise<Map<string, Family>> {
    return parsePage(await this.metrics.registry.metrics());
  }

  /** Value of a sample, as in `name key=value`, labels in order. */
  async value(name: string, ...labels: string[]): Promise<number | undefined> {
    const found = [...(await this.page()).values()].flatMap(({ samples }) => [...samples]);
    return new Map(found).get([name, ...labels].join(' '));
  }

  /** At least one sample of everything. */
  exercise(): void {
    this.metrics.up();
    this.metrics.addProcess();
    new FlashblocksMetrics(this.metrics.registry, '').clientsConnected(0);
    this.metrics.refresh(status, verdict);
    this.metrics.healthChecked(report(undefined));
    this.metrics.called(call());
    this.metrics.called(call({ error: new RpcError('no', { code: RpcCode.internal, reason: 'crashed' }) }));
    this.controller.emit('transferred', true);
    this.controller.emit('sequencerStarted', true);
    this.controller.emit('sequencerStopped', true);
    this.controller.emit('stateChanged', { leader: true, healthy: true, active: false });
    this.controller.emit('turn', 1);
  }
}
