import { beforeEach, describe, expect, it } from '@jest/globals';
import { TrustedLease } from './trusted-lease.js';

const LEASE_MS = 290;

let monotonicMs: number;
let wallMs: number;
/** Monotonic time of the promises that the lease rests on. */
let promisedAtMs: number;
/** Time that passes between two readings of the clocks. */
let slownessMs: number;
let leaps: number[];
let lease: TrustedLease;

/** Time passes on both clocks. */
const pass = (ms: number): void => {
  monotonicMs += ms;
  wallMs += ms;
};

beforeEach(() => {
  [monotonicMs, wallMs, slownessMs, leaps] = [5000, 1_800_000_000_000, 0, []];
  promisedAtMs = monotonicMs;
  const raft = {
    status: () => ({ leaseRemainingMs: Math.max(0, promisedAtMs + LEASE_MS - monotonicMs) }),
    timing: { leaseTimeoutMs: LEASE_MS },
  };
  const read = (value: () => number): number => {
    pass(slownessMs);
    return value();
  };
  const clocks = {
    monotonic: () => read(() => monotonicMs),
    wall: () => read(() => Math.floor(wallMs)),
  };
  lease = new TrustedLease(raft, clocks, (byMs) => leaps.push(byMs));
});

describe('a lease', () => {
  it('is held until it ends', () => {
    expect(lease.isHeld()).toBe(true);
    pass(LEASE_MS - 1);
    expect(lease.isHeld()).toBe(true);
    pass(1);
    expect(lease.isHeld()).toBe(false);
    expect(leaps).toEqual([]);
  });

  it('does not outlast a suspension of the machine, although its clock stopped', () => {
    expect(lease.isHeld()).toBe(true);
    wallMs += 60_000;
    pass(10);
    expect(lease.isHeld()).toBe(false);
    expect(leaps).toHaveLength(1);
    expect(leaps[0]).toBeGreaterThan(59_000);
    pass(20);
    expect(lease.isHeld()).toBe(false);
  });

  it('is renewed by the promises of the next heartbeats, not by answers to earlier ones', () => {
    const beforeSleepMs = monotonicMs;
    pass(50);
    wallMs += 60_000;
    expect(lease.isHeld()).toBe(false);
    promisedAtMs = beforeSleepMs + 40;
    expect(lease.isHeld()).toBe(false);
    pass(30);
    promisedAtMs = monotonicMs;
    expect(lease.isHeld()).toBe(true);
    expect(leaps).toHaveLength(1);
  });

  it.each([5, 100])('is not trusted after a suspension of %d ms', (sleepMs) => {
    wallMs += sleepMs;
    expect(lease.isHeld()).toBe(false);
  });

  it('ignores a wall clock that is set back or read late', () => {
    wallMs -= 60_000;
    expect(lease.isHeld()).toBe(true);
    slownessMs = 40;
    for (let look = 0; look < 20; look++) {
      promisedAtMs = monotonicMs + 100;
      expect(lease.isHeld()).toBe(true);
    }
    expect(leaps).toEqual([]);
  });

  it('is void after a suspension even if the wall clock was set back before', () => {
    wallMs -= 60_000;
    expect(lease.isHeld()).toBe(true);
    wallMs += 1000;
    expect(lease.isHeld()).toBe(false);
  });

  it('of this machine is held while no clock leaps', async () => {
    const raft = { status: () => ({ leaseRemainingMs: LEASE_MS }), timing: { leaseTimeoutMs: LEASE_MS } };
    const real = new TrustedLease(raft);
    for (let look = 0; look < 1000; look++) {
      if (look % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
      expect(real.isHeld()).toBe(true);
    }
  });
});
