import { describe, expect, it } from '@jest/globals';
import type { HeadInfo } from '../rpc/clients/op-node-client.js';
import { evaluate } from './evaluate.js';
import type { HealthCode, HealthLimits } from './health-report.js';
import type { Observation, Probed } from './probes/observation.js';
import type { RollupBoostAnswer } from './probes/rollup-boost.js';

const nowSeconds = 1_795_222_706;
const askedAtMs = nowSeconds * 1000 + 900;
const limits: HealthLimits = { unsafeIntervalSeconds: 5, minPeerCount: 2 };
const allLimits: HealthLimits = { ...limits, safeIntervalSeconds: 60, minExecutionPeerCount: 3 };

function head(number: number, ageSeconds: number): HeadInfo {
  return { number, timestamp: nowSeconds - ageSeconds };
}

const answered = <T>(value: T): Probed<T> => ({ askedAtMs, ok: true, value });
const failed = (error: string, failures = 1): Probed<never> => ({ askedAtMs, ok: false, error, failures });

interface Facts {
  /** Age of the unsafe head, or why there is no sync status. */
  unsafe?: number | string;
  safe?: number;
  peers?: number | string;
  executionPeers?: number | string;
  rollupBoost?: RollupBoostAnswer['health'] | 'tolerated' | 'down';
}

/** A node with a fresh head and two peers, with the given changes. Other probes are not asked. */
function observation({ unsafe = 0, safe = 500, peers = 2, executionPeers, rollupBoost }: Facts): Observation {
  const found: Observation = {
    syncStatus:
      typeof unsafe === 'string'
        ? failed(unsafe)
        : answered({ unsafeL2: head(42, unsafe), safeL2: head(7, safe), l1Blocks: [] }),
    peerStats: typeof peers === 'string' ? failed(peers) : answered({ connected: peers }),
  };
  if (executionPeers !== undefined) {
    found.executionPeers =
      typeof executionPeers === 'string' ? failed(executionPeers) : answered(executionPeers);
  }
  if (rollupBoost === 'down') found.rollupBoost = failed('connect ECONNREFUSED', 2);
  else if (rollupBoost === 'tolerated') found.rollupBoost = answered({ health: 'partial', tolerated: true });
  else if (rollupBoost) found.rollupBoost = answered({ health: rollupBoost, tolerated: false });
  return found;
}

type Case = [string, Facts, HealthCode | 'ok', string];

describe('evaluate', () => {
  it.each<Case>([
    ['a fresh head', { unsafe: 1, peers: 3 }, 'ok', 'unsafe head 42 is 1 s old, 3 peers connected'],
    [
      'a head of exactly the allowed age',
      { unsafe: 5 },
      'ok',
      'unsafe head 42 is 5 s old, 2 peers connected',
    ],
    ['a head one second too old', { unsafe: 6 }, 'unsafe-head-old', 'unsafe head 42 is 6 s old, 5 s allowed'],
    ['a head of the future', { unsafe: -30 }, 'ok', 'unsafe head 42 is 0 s old, 2 peers connected'],
    ['one peer too few', { peers: 1 }, 'too-few-peers', '1 peers connected, 2 required'],
    ['no peers', { peers: 0 }, 'too-few-peers', '0 peers connected, 2 required'],
    [
      'no sync status',
      { unsafe: 'no answer within 1000 ms' },
      'node-unreachable',
      'no answer within 1000 ms',
    ],
    ['no peer statistics', { peers: 'ECONNREFUSED' }, 'node-unreachable', 'ECONNREFUSED'],
    ['an old head and too few peers: the head first', { unsafe: 6, peers: 0 }, 'unsafe-head-old', '6 s old'],
    ['nothing at all: the sync status first', { unsafe: 'sync', peers: 'peers' }, 'node-unreachable', 'sync'],
    ['an old safe head that nobody asked for', { safe: 999_999 }, 'ok', ''],
  ])('judges %s', (_name, facts, code, summary) => {
    const verdict = evaluate(observation(facts), limits);
    expect(verdict.reasons[0]?.code ?? 'ok').toBe(code);
    expect(verdict.summary).toContain(summary);
    expect(verdict.healthy).toBe(code === 'ok');
    expect(verdict.status).toBe(code === 'ok' ? 'healthy' : 'unhealthy');
  });

  const good: Facts = { safe: 60, executionPeers: 3, rollupBoost: 'healthy' };
  it.each<Case>([
    ['a safe head of the allowed age, enough peers everywhere, a builder', {}, 'ok', ''],
    [
      'a safe head one second too old',
      { safe: 61 },
      'safe-head-old',
      'safe head 7 is 61 s old, 60 s allowed',
    ],
    [
      'one execution peer too few',
      { executionPeers: 2 },
      'too-few-execution-peers',
      '2 peers connected, 3 required',
    ],
    [
      'an execution client that does not tell',
      { executionPeers: 'timeout' },
      'execution-unreachable',
      'timeout',
    ],
    ['no builder', { rollupBoost: 'partial' }, 'rollup-boost-partial', 'the builder is not healthy'],
    ['rollup-boost unhealthy', { rollupBoost: 'unhealthy' }, 'rollup-boost-unhealthy', 'not healthy'],
    ['rollup-boost down', { rollupBoost: 'down' }, 'rollup-boost-unreachable', 'ECONNREFUSED'],
  ])('with every check configured, judges %s', (_name, facts, code, summary) => {
    const verdict = evaluate(observation({ ...good, ...facts }), allLimits);
    expect(verdict.reasons.map((reason) => reason.code)).toEqual(code === 'ok' ? [] : [code]);
    expect(verdict.summary).toContain(summary);
    expect(verdict.healthy).toBe(code === 'ok');
  });

  it('calls a node degraded, and healthy, whose only fault is tolerated', () => {
    const verdict = evaluate(observation({ ...good, rollupBoost: 'tolerated' }), allLimits);
    expect(verdict).toMatchObject({ healthy: true, status: 'degraded' });
    expect(verdict.reasons).toMatchObject([{ code: 'rollup-boost-partial', severity: 'degraded' }]);
  });

  it('names everything that is wrong, in the order of op-conductor, tolerated faults last', () => {
    const facts: Facts = { unsafe: 6, safe: 61, peers: 0, executionPeers: 0, rollupBoost: 'tolerated' };
    expect(evaluate(observation(facts), allLimits).reasons).toMatchObject([
      { check: 'unsafe-head', code: 'unsafe-head-old', value: 6, limit: 5 },
      { check: 'safe-head', code: 'safe-head-old', value: 61, limit: 60 },
      { check: 'peers', code: 'too-few-peers', value: 0, limit: 2 },
      { check: 'execution-peers', code: 'too-few-execution-peers', value: 0, limit: 3 },
      { check: 'rollup-boost', severity: 'degraded' },
    ]);
    const dead: Facts = { unsafe: 'a', peers: 'b', executionPeers: 'c', rollupBoost: 'down' };
    expect(evaluate(observation(dead), allLimits).reasons).toMatchObject([
      { check: 'sync-status', code: 'node-unreachable', failures: 1 },
      { check: 'peers', code: 'node-unreachable', failures: 1 },
      { check: 'execution-peers', code: 'execution-unreachable', failures: 1 },
      { check: 'rollup-boost', code: 'rollup-boost-unreachable', failures: 2 },
    ]);
  });

  it('with an unsafe interval of 0 allows only a head of the current second', () => {
    const strict = { ...limits, unsafeIntervalSeconds: 0 };
    expect(evaluate(observation({ unsafe: 0 }), strict).healthy).toBe(true);
    expect(evaluate(observation({ unsafe: 1 }), strict).healthy).toBe(false);
  });

  it('reports its facts, whatever the verdict', () => {
    expect(evaluate(observation({ unsafe: 6, peers: 0 }), limits)).toMatchObject({
      unsafeHead: head(42, 6),
      peers: 0,
    });
    const half = evaluate(observation({ unsafe: 'down', peers: 3 }), limits);
    expect(half).not.toHaveProperty('unsafeHead');
    expect(half.peers).toBe(3);
  });
});
