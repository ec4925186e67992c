import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TIMING_PROFILES } from '../../raft/index.js';
import { CommandLine } from './testing/command-line.js';

let t: CommandLine;

beforeEach(async () => {
  t = await CommandLine.start();
});
afterEach(() => t.stop());

describe('timing', () => {
  const goBy = (id: string, profile: 'lan' | 'lan-fast'): void =>
    t.cluster.change(id, { timing: { ...TIMING_PROFILES[profile], profile } });

  it('shows the timing of the cluster', async () => {
    expect(await t.baton('timing')).toBe(0);
    expect(t.printed[0]!.split('\n')).toEqual([
      'profile             lan',
      'heartbeat-interval  50ms',
      'election-timeout    300ms',
      'rank-slot           15ms',
      'jitter              10ms',
      'lease-timeout       290ms',
    ]);
    expect(t.cluster.calls).toEqual([]);
  });

  it('waits until all members that answer use the new values', async () => {
    t.cluster.onCall = () => {
      goBy('a', 'lan-fast');
      return { result: null };
    };
    t.cluster.onView = (views) => {
      if (views === 4) goBy('b', 'lan-fast');
      if (views === 6) goBy('c', 'lan-fast');
    };
    expect(await t.baton('timing', 'lan-fast')).toBe(0);
    expect(t.cluster.calls).toEqual(['a conductor_setTiming ["lan-fast",0]']);
    expect(t.cluster.views).toBeGreaterThanOrEqual(6);
    expect(t.printed.at(-1)).toContain('lan-fast: heartbeat-interval 30ms');
  });

  it('changes single values and keeps the others', async () => {
    const wanted = { ...TIMING_PROFILES.lan, electionTimeoutMs: 1000, leaseTimeoutMs: 990 };
    t.cluster.onCall = (_id, _method, params) => {
      expect(params).toEqual([wanted, 0]);
      for (const id of 'abc') t.cluster.change(id, { timing: { ...wanted, profile: null } });
      return { result: null };
    };
    expect(await t.baton('timing', '--election-timeout', '1s', '--lease-timeout', '990ms')).toBe(0);
    expect(t.printed.at(-1)).toContain('free values: heartbeat-interval 50ms, election-timeout 1s');
  });

  it('says what is missing at its deadline, and passes on the reason of a refusal', async () => {
    expect(await t.baton('timing', 'lan-fast', '--deadline', '300ms')).toBe(1);
    expect(t.failure()[0]).toMatch(/after 300ms: a still uses other timing: lan: /);
    t.cluster.onCall = () => ({ error: { code: -32000, message: 'not now' } });
    expect(await t.baton('timing', 'multi-region')).toBe(1);
    expect(t.failure()).toEqual([expect.stringContaining('not now'), 'refused']);
    expect(await t.baton('timing', 'lan', '--jitter', '1ms')).toBe(3);
  });

  it('13: knows the profiles itself, and asks no member about an unknown one', async () => {
    expect(await t.baton('timing', 'x')).toBe(3);
    expect(t.noted.join('\n')).toContain('Allowed choices are lan-fast, lan, multi-region.');
    expect(t.cluster.views).toBe(0);
  });

  it('12: as a document', async () => {
    expect(await t.baton('timing', '--json')).toBe(0);
    expect(JSON.parse(t.printed.join('\n'))).toEqual({
      schemaVersion: 1,
      timing: { ...TIMING_PROFILES.lan, profile: 'lan' },
    });
  });
});
