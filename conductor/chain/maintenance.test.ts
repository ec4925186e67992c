import { describe, expect, it } from '@jest/globals';
import { afterChange, NO_MAINTENANCE, pauseOf, type Maintenance } from './maintenance.js';
import type { RecordChange } from './record.js';

/** What these changes make of nothing; the first is record `r1` at index 1. */
function after(...changes: RecordChange[]): Maintenance {
  return changes.reduce<Maintenance>((before, change, at) => {
    const who = { reason: `reason ${at + 1}` };
    return afterChange(before, change, { id: `r${at + 1}`, logIndex: at + 1, sinceMs: at + 1, who });
  }, NO_MAINTENANCE);
}

const pause = (member: string | null, untilMs: number | null = null): RecordChange => ({
  type: 'pause',
  member,
  untilMs,
});
const resume = (member: string | null, pauseId: string | null = null): RecordChange => ({
  type: 'resume',
  member,
  pauseId,
});

describe('maintenance', () => {
  it('has a pause of the cluster and one of each member, which end by themselves', () => {
    const both = after(pause(null), pause('b', 500));
    expect(both.cluster).toEqual({
      ...{ id: 'r1', logIndex: 1, sinceMs: 1, who: { reason: 'reason 1' } },
      untilMs: null,
    });
    expect(both.members).toMatchObject({ b: { id: 'r2', untilMs: 500 } });
    expect(after(pause(null), pause('b'), resume('b'))).toMatchObject({ cluster: { id: 'r1' }, members: {} });
    const ofB = after(pause(null), pause('b'), resume(null));
    expect([ofB.cluster, pauseOf(ofB, 'b')?.id]).toEqual([null, 'r2']);
  });

  it.each<[string, RecordChange[], string]>([
    ['the first of two without end', [pause(null), pause(null)], 'r1'],
    ['one without end, not a later one with', [pause(null), pause(null, 900)], 'r1'],
    ['a later one without end', [pause(null, 900), pause(null)], 'r2'],
    ['the one that ends later', [pause(null, 900), pause(null, 800), pause(null, 901)], 'r3'],
    ['a new one after a resume', [pause(null), resume(null), pause(null, 5)], 'r3'],
  ])('of several pauses, keeps %s', (_, changes, id) => {
    expect(after(...changes).cluster?.id).toBe(id);
  });

  it('ends a certain pause, and no other one of the same scope', () => {
    expect(after(pause(null, 5), resume(null, 'r1')).cluster).toBeNull();
    expect(after(pause(null, 5), pause(null, 6), resume(null, 'r1')).cluster?.id).toBe('r2');
    expect(after(pause('b', 5), resume(null, 'r1')).members).toMatchObject({ b: { id: 'r1' } });
  });

  it('is halted by the first who says so, until that is ended; a resume does not end it', () => {
    expect(after({ type: 'halt' }, { type: 'halt' }, resume(null)).halt?.id).toBe('r1');
    expect(after({ type: 'halt' }, { type: 'endHalt' }).halt).toBeNull();
  });

  it.each<[string, RecordChange]>([
    ['resume of what is not paused', resume('c')],
    ['end of no halt', { type: 'endHalt' }],
  ])('is the same object after a change without effect: %s', (_, change) => {
    const before = after(pause('b'));
    expect(afterChange(before, change, { id: 'x', logIndex: 9, sinceMs: 9, who: {} })).toBe(before);
  });

  it('pauses no more members than any cluster has', () => {
    const many = after(...Array.from({ length: 70 }, (_, at) => pause(`m${at}`)));
    expect(Object.keys(many.members)).toHaveLength(64);
    expect(
      afterChange(many, resume('m0'), { id: 'x', logIndex: 99, sinceMs: 9, who: {} }).members,
    ).not.toHaveProperty('m0');
  });
});
