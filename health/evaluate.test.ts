import { describe, expect, it } from '@jest/globals';
import type { BlockRef } from '../rpc/payload/unsafe-payload.js';
import { evaluate } from './evaluate.js';
import type { HealthCode } from './health-report.js';
import type { Observation } from './observation.js';

const nowSeconds = 1_795_222_706;
const limits = { unsafeIntervalSeconds: 5, minPeerCount: 2 };

function head(ageSeconds: number): BlockRef {
  const hash = `0x${'11'.repeat(32)}`;
  return { number: 42, hash, parentHash: `0x${'22'.repeat(32)}`, timestamp: nowSeconds - ageSeconds };
}

function observation(ageSeconds: number | string, peers: number | string): Observation {
  const unsafeL2 = head(typeof ageSeconds === 'number' ? ageSeconds : 0);
  return {
    syncStatus:
      typeof ageSeconds === 'string'
        ? { ok: false, error: ageSeconds }
        : { ok: true, value: { unsafeL2, safeL2: head(500), finalizedL2: head(1000) } },
    peerStats:
      typeof peers === 'string' ? { ok: false, error: peers } : { ok: true, value: { connected: peers } },
  };
}

describe('evaluate', () => {
  it.each<[string, number | string, number | string, HealthCode, string]>([
    ['a fresh head', 1, 3, 'ok', 'unsafe head 42 is 1 s old, 3 peers connected'],
    ['a head of exactly the allowed age', 5, 2, 'ok', 'unsafe head 42 is 5 s old, 2 peers connected'],
    ['a head one second too old', 6, 2, 'unsafe-head-old', 'unsafe head 42 is 6 s old, 5 s allowed'],
    ['a head of the future', -30, 2, 'ok', 'unsafe head 42 is 0 s old, 2 peers connected'],
    ['exactly enough peers', 0, 2, 'ok', 'unsafe head 42 is 0 s old, 2 peers connected'],
    ['one peer too few', 0, 1, 'too-few-peers', '1 peers connected, 2 required'],
    ['no peers', 0, 0, 'too-few-peers', '0 peers connected, 2 required'],
    ['no sync status', 'no answer within 1000 ms', 2, 'node-unreachable', 'no answer within 1000 ms'],
    ['no peer statistics', 0, 'connect ECONNREFUSED', 'node-unreachable', 'connect ECONNREFUSED'],
    ['an old head and too few peers: the head comes first', 6, 0, 'unsafe-head-old', '6 s old'],
    ['an old head and no peer statistics: the head comes first', 6, 'refused', 'unsafe-head-old', '6 s old'],
    ['nothing at all: the sync status comes first', 'sync', 'peers', 'node-unreachable', 'sync'],
  ])('judges %s', (_name, age, peers, code, reason) => {
    const verdict = evaluate(observation(age, peers), limits, nowSeconds);
    expect(verdict.code).toBe(code);
    expect(verdict.reason).toContain(reason);
    expect(verdict.healthy).toBe(code === 'ok');
    expect(verdict.status).toBe(code === 'ok' ? 'healthy' : 'unhealthy');
  });

  it('allows an unsafe interval of 0 to a head of this second only', () => {
    const strict = { ...limits, unsafeIntervalSeconds: 0 };
    expect(evaluate(observation(0, 2), strict, nowSeconds).code).toBe('ok');
    expect(evaluate(observation(1, 2), strict, nowSeconds).code).toBe('unsafe-head-old');
  });

  it('reports the facts it has, whatever the verdict', () => {
    expect(evaluate(observation(6, 0), limits, nowSeconds)).toMatchObject({ unsafeHead: head(6), peers: 0 });
    const half = evaluate(observation('down', 3), limits, nowSeconds);
    expect(half).not.toHaveProperty('unsafeHead');
    expect(half.peers).toBe(3);
  });
});
