import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { timingProblem } from '../core/timing.js';
import { judgeTiming } from './judge-timing.js';
import { profileOf, TIMING_PROFILES } from './timing-profiles.js';
import { TimingWatch } from './timing-watch.js';

const { lan } = TIMING_PROFILES;
const nothing = { roundTripMs: undefined, syncMs: undefined, latenessMs: undefined };

describe('the profiles', () => {
  it.each(Object.entries(TIMING_PROFILES))('%s is usable, and recognized by its values', (name, timing) => {
    expect(timingProblem(timing)).toBeUndefined();
    expect(judgeTiming(timing, nothing)).toEqual([]);
    expect(profileOf(timing)).toBe(name);
    expect(profileOf({ ...timing, jitterMs: timing.jitterMs + 1 })).toBeUndefined();
  });

  it('become slower with the distance', () => {
    const bases = Object.values(TIMING_PROFILES).map(({ electionTimeoutMs }) => electionTimeoutMs);
    expect(bases).toEqual([...bases].sort((a, b) => a - b));
  });
});

describe('the verdict on a timing', () => {
  it.each<[string, Parameters<typeof judgeTiming>, RegExp]>([
    ['heartbeats', [{ ...lan, heartbeatIntervalMs: 160, leaseTimeoutMs: 300 }, nothing], /two heartbeats/],
    ['the lease', [{ ...lan, leaseTimeoutMs: 90 }, nothing], /^the lease is 90 ms/],
    ['the distance', [lan, { ...nothing, roundTripMs: 70 }], /five round trips need 350 ms/],
    ['disks', [lan, { ...nothing, roundTripMs: 1, syncMs: 20 }], /the rank slot is 15 ms/],
    ['the event loop', [lan, { ...nothing, latenessMs: 80 }], /four stalls of this process need 320 ms/],
  ])('names %s that are too slow for it', (_, [timing, measured], problem) => {
    expect(
      judgeTiming(timing, measured)
        .map(({ text }) => text)
        .join('\n'),
    ).toMatch(problem);
  });

  it('says nothing about what was not measured or what fits', () => {
    expect(judgeTiming(lan, { roundTripMs: 2, syncMs: 3, latenessMs: 20 })).toEqual([]);
  });
});

describe('the timing in use', () => {
  const watching = (): { watch: TimingWatch; lines: () => Record<string, unknown>[] } => {
    const text: string[] = [];
    const logger = pino({ base: null, timestamp: false }, { write: (line: string) => void text.push(line) });
    return {
      watch: new TimingWatch(logger),
      lines: () => text.map((line) => JSON.parse(line) as Record<string, unknown>),
    };
  };
  const [info, warn] = [30, 40];

  it('is logged with its name and verdict when it changes, and only then', () => {
    const { watch, lines } = watching();
    watch.use(lan, 'this node');
    watch.use({ ...lan }, 'entry 1');
    watch.use({ ...lan, leaseTimeoutMs: 60 }, 'entry 7');
    expect(lines()).toMatchObject([
      { level: info, msg: 'timing in use', profile: 'lan', electionTimeoutMs: 300, verdict: 'fits' },
      { level: warn, profile: 'free values', source: 'entry 7', verdict: [expect.stringMatching(/lease/)] },
    ]);
  });

  it('28: is no warning where candidates may collide and nothing else happens; the profile that fits is named', () => {
    const { watch, lines } = watching();
    watch.use(lan, 'this node');
    for (let count = 0; count < 100; count++) watch.roundTrip(20);
    expect(lines()[1]).toMatchObject({
      level: info,
      verdict: [expect.stringMatching(/^the rank slot is 15 ms/)],
      fittingProfile: 'multi-region',
    });
  });

  it('is compared with the measurements once there are enough', () => {
    const { watch, lines } = watching();
    watch.use(lan, 'this node');
    for (let count = 0; count < 100; count++) {
      watch.sync(1);
      watch.wokeUp(count === 50 ? 500 : 0.5);
      watch.roundTrip(count < 95 ? 1 : 90);
    }
    for (let count = 0; count < 1000; count++) watch.roundTrip(1);
    expect(lines()).toHaveLength(2);
    expect(lines()[1]).toMatchObject({
      level: warn,
      msg: 'timing compared with measurements',
      measured: { roundTripMs: 90, syncMs: 1, latenessMs: 0.5 },
      fittingProfile: 'none',
    });
    expect(watch.measured.roundTripMs).toBe(1);
  });
});
