import { describe, expect, it } from '@jest/globals';
import { LEVELS, successor, viewOf } from '../testing/views.js';
import { decide, type Action, type Successor, type View } from './decide.js';
import { encodeEligibility, Fitness } from './eligibility.js';

const { unfit, impaired, stale, fit } = Fitness;

const leader = (changes: Partial<View> = {}): View => viewOf({ role: 'leader', ...changes });
const decideType = (view: View): Action['type'] => decide(view).type;

/** One word per action, for tables. */
function word(action: Action): string {
  if (action.type !== 'transfer') return action.type;
  return action.sequencer === 'leave' ? 'transfer' : 'stop+transfer';
}

describe('decide, as a table: fitness of the leader (rows) against that of the best successor (columns)', () => {
  const columns = [undefined, ...LEVELS];
  const table = (view: Partial<View>): string[][] =>
    LEVELS.map((fitness) =>
      columns.map((best) =>
        word(
          decide(leader({ ...view, fitness, successors: best === undefined ? [] : [successor('b', best)] })),
        ),
      ),
    );

  it('not sequencing', () => {
    expect(table({ sequencerActive: false })).toEqual([
      // nobody   unfit    impaired    stale       partial     fit
      ['none', 'none', 'transfer', 'transfer', 'transfer', 'transfer'], // unfit
      ['start', 'start', 'start', 'transfer', 'transfer', 'transfer'], // impaired
      ['start', 'start', 'start', 'start', 'transfer', 'transfer'], // stale
      ['start', 'start', 'start', 'start', 'start', 'transfer'], // partial
      ['start', 'start', 'start', 'start', 'start', 'start'], // fit
    ]);
  });

  it('sequencing, and the head stands still', () => {
    expect(table({ sequencerActive: true })).toEqual([
      // nobody   unfit    impaired    stale       partial     fit
      ['none', 'none', 'transfer', 'transfer', 'transfer', 'transfer'], // unfit
      ['none', 'none', 'none', 'stop+transfer', 'stop+transfer', 'stop+transfer'], // impaired
      ['none', 'none', 'none', 'none', 'stop+transfer', 'stop+transfer'], // stale
      ['none', 'none', 'none', 'none', 'none', 'stop+transfer'], // partial
      ['none', 'none', 'none', 'none', 'none', 'none'], // fit
    ]);
  });

  it('sequencing, and the head has stood still for long', () => {
    expect(table({ sequencerActive: true, stuck: true })).toEqual([
      // nobody   unfit    impaired    stale       partial     fit
      ['none', 'none', 'transfer', 'transfer', 'transfer', 'transfer'], // unfit
      ['none', 'none', 'stop+transfer', 'stop+transfer', 'stop+transfer', 'stop+transfer'], // impaired
      ['none', 'none', 'none', 'stop+transfer', 'stop+transfer', 'stop+transfer'], // stale
      ['none', 'none', 'none', 'none', 'stop+transfer', 'stop+transfer'], // partial
      ['none', 'none', 'none', 'none', 'none', 'none'], // fit
    ]);
  });

  it('sequencing, and the head moves', () => {
    expect(table({ sequencerActive: true, progressing: true })).toEqual([
      // nobody   unfit    impaired    stale       partial     fit
      ['none', 'none', 'transfer', 'transfer', 'transfer', 'transfer'], // unfit
      ['none', 'none', 'none', 'stop+transfer', 'stop+transfer', 'stop+transfer'], // impaired
      ['none', 'none', 'none', 'none', 'none', 'none'], // stale
      ['none', 'none', 'none', 'none', 'none', 'stop+transfer'], // partial
      ['none', 'none', 'none', 'none', 'none', 'none'], // fit
    ]);
  });
});

describe('decide, as a leader whose sequencer is off the committed chain', () => {
  const mustStop = 'block 17 is 0xb, committed is 0xa';
  const off = (changes: Partial<View> = {}): View => leader({ sequencerActive: true, mustStop, ...changes });

  it.each(LEVELS)('stops it, and says why (fitness %i)', (fitness) => {
    expect(decide(off({ fitness }))).toEqual({ type: 'stop', abandon: true, reason: mustStop });
  });

  it('has nothing to stop when it does not run: the ordinary start brings it to the head', () => {
    expect(decideType(off({ sequencerActive: false }))).toBe('start');
    expect(decideType(off({ sequencerActive: null, fitness: unfit }))).toBe('none');
  });

  it('lets a fitter node lead, after the stop', () => {
    const view = off({ fitness: impaired, successors: [successor('b', fit)] });
    expect(decide(view)).toEqual({ type: 'transfer', to: 'b', sequencer: 'abandon', reason: mustStop });
    expect(decideType(off({ successors: [successor('b', fit)] }))).toBe('stop');
  });

  it('whose stop fails for long lets another one try', () => {
    const view = off({ stuck: true, successors: [successor('b', fit)] });
    expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'abandon' });
  });

  it('says that it sequences only after a look at its chain', () => {
    expect(decide(leader({ sequencerActive: true }))).toEqual({ type: 'none', reason: 'sequencing' });
    expect(decide(leader({ sequencerActive: true, compared: false }))).toEqual({
      type: 'none',
      reason: 'its chain is being compared',
    });
  });
});

describe('decide, as a follower', () => {
  it('a witness does nothing, whatever is known of a node that is not there', () => {
    for (const sequencerActive of [null, true, false]) {
      const view = viewOf({ witness: true, fitness: unfit, sequencerActive, lagging: true });
      expect(decide(view)).toEqual({ type: 'none', reason: 'a witness only votes' });
    }
  });

  it.each<[string, Partial<View>, Action['type']]>([
    ['in step', {}, 'none'],
    ['lagging', { lagging: true }, 'feed'],
    [
      'lagging, and the history does not reach so far: gossip must help',
      { lagging: true, historyTooShort: true },
      'none',
    ],
    ['lagging on another branch: a post does not help', { lagging: true, stray: true }, 'none'],
    ['active on another branch', { sequencerActive: true, mustStop: 'it is', stray: true }, 'stop'],
    ['lagging and sick in another way', { lagging: true, fitness: impaired }, 'feed'],
    ['lagging without an answer of op-node', { lagging: true, sequencerActive: null }, 'none'],
    ['active', { sequencerActive: true }, 'stop'],
    ['active and lagging: the stop comes first', { sequencerActive: true, lagging: true }, 'stop'],
    ['active although the node seems unreachable', { sequencerActive: true, fitness: unfit }, 'stop'],
  ])('%s', (_, changes, type) => {
    expect(decideType(viewOf(changes))).toBe(type);
  });
});

describe('decide, in situations that have cost others their chain', () => {
  it('cold start: a new cluster, all healthy: starts here and nowhere else', () => {
    expect(decideType(leader({ successors: [successor('b', fit), successor('c', fit)] }))).toBe('start');
  });

  it('cold start before anybody has finished a health check: nothing moves', () => {
    const view = leader({ fitness: unfit, successors: [successor('b', unfit), successor('c', unfit)] });
    expect(decideType(view)).toBe('none');
  });

  it('the whole cluster stood still (every head is old): the leader starts, and nobody moves leadership', () => {
    const successors = [successor('b', stale), successor('c', stale)];
    expect(decideType(leader({ fitness: stale, successors }))).toBe('start');
    expect(decideType(leader({ fitness: stale, successors, sequencerActive: true }))).toBe('none');
  });

  it('the sequencer makes no blocks, and every head grows old: another node may try (#18845)', () => {
    const view = leader({
      fitness: stale,
      stuck: true,
      sequencerActive: true,
      successors: [successor('b', stale)],
    });
    expect(decide(view)).toEqual({
      type: 'transfer',
      to: 'b',
      sequencer: 'stop',
      reason: 'the chain stands still',
    });
  });

  it('the sequencer can not be started for long: another node may try', () => {
    const view = leader({ stuck: true, successors: [successor('b', fit)] });
    expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'leave' });
  });

  it('a stale leader that has just started catches up, also when a peer seems fit', () => {
    const successors = [successor('b', fit)];
    const view = leader({ fitness: stale, successors, sequencerActive: true, progressing: true });
    expect(decideType(view)).toBe('none');
  });

  it('the active op-node hangs: leadership leaves at once, without waiting for it', () => {
    const action = decide(
      leader({ fitness: unfit, sequencerActive: true, successors: [successor('b', fit)] }),
    );
    expect(action).toEqual({ type: 'transfer', to: 'b', sequencer: 'leave', reason: 'because of health' });
  });

  it('the op-node of the leader is gone', () => {
    const view = leader({ fitness: unfit, sequencerActive: null, successors: [successor('b', fit)] });
    expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'leave' });
  });

  it('the op-node of the leader is gone and every other node is paused: nobody gets leadership', () => {
    const view = leader({ fitness: unfit, sequencerActive: null, successors: [successor('b', unfit)] });
    expect(decideType(view)).toBe('none');
  });

  it('an operator restarted op-node: the facts say inactive, so it is started again', () => {
    expect(decideType(leader({ sequencerActive: false }))).toBe('start');
  });

  it('the history is too short: leadership goes to a node that is closer to the head', () => {
    const view = (lagOfOther: number): View =>
      leader({
        historyTooShort: true,
        eligibility: encodeEligibility(fit, 9),
        successors: [successor('b', fit, lagOfOther)],
      });
    expect(decide(view(2))).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'leave' });
    expect(decideType(view(9))).toBe('start');
    expect(decideType(view(20))).toBe('start');
  });

  it('the history is too short and the only closer node is sick: stays here and tries on', () => {
    const view = leader({
      historyTooShort: true,
      eligibility: encodeEligibility(fit, 9),
      successors: [successor('b', impaired, 0)],
    });
    expect(decideType(view)).toBe('start');
  });

  it('the local node misses so many blocks that another one leads sooner: it does, unless it is sick', () => {
    const view = (lagBlocks: number, ...successors: Successor[]): View =>
      leader({ fitness: stale, lagBlocks, successors });
    expect(decide(view(500, successor('b', stale, 490), successor('c', stale, 3)))).toMatchObject({
      type: 'transfer',
      to: 'c',
      sequencer: 'leave',
    });
    expect(decideType(view(10, successor('b', stale, 0)))).toBe('start');
    expect(decideType(view(500, successor('b', stale, 490)))).toBe('start');
    expect(decideType(view(500, successor('b', impaired, 0)))).toBe('start');
  });

  it('takes the best of several successors', () => {
    const successors = [successor('c', fit), successor('b', stale)];
    expect(decide(leader({ fitness: impaired, successors }))).toMatchObject({ type: 'transfer', to: 'c' });
  });
});

/** docs/reference/op-conductor.md §9.3. The digits are leader, healthy, active. Those that need an execution client are in start-sequencer.test.ts. */
describe('decide, scenarios of op-conductor', () => {
  const others = [successor('b', fit), successor('c', fit)];

  it('Scenario1: gains leadership with a head that cannot be reached: another, closer node gets it', () => {
    const view = leader({
      historyTooShort: true,
      eligibility: encodeEligibility(fit, 50),
      successors: others,
    });
    expect(decideType(view)).toBe('transfer');
  });

  it('Scenario2: (0,0,0) turns healthy: nothing', () => {
    expect(decideType(viewOf({ fitness: impaired }))).toBe('none');
    expect(decideType(viewOf({ fitness: fit }))).toBe('none');
  });

  it('Scenario3: (0,1,0) gains leadership: start, as soon as leadership is complete', () => {
    expect(decideType(viewOf({ role: 'elect' }))).toBe('none');
    expect(decideType(leader({ successors: others }))).toBe('start');
    expect(decideType(leader({ sequencerActive: true, successors: others }))).toBe('none');
  });

  it.each([impaired, stale, unfit])('Scenario5: (0,1,0) turns unhealthy (%i): nothing', (level) => {
    expect(decideType(viewOf({ fitness: level }))).toBe('none');
  });

  it('Scenario6: (1,1,1) loses leadership: stop', () => {
    expect(decideType(viewOf({ sequencerActive: true }))).toBe('stop');
  });

  it.each([impaired, stale])('Scenario7: (1,1,1) turns unhealthy (%i): stop and transfer', (level) => {
    const view = leader({ fitness: level, sequencerActive: true, successors: others });
    expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'stop' });
  });

  it('FailureAndRetry1: the stop worked, the transfer did not: only the transfer is left to do', () => {
    const view = leader({ fitness: impaired, sequencerActive: false, successors: others });
    expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'leave' });
  });

  it('FailureAndRetry2: the stop failed, the transfer worked: stops as a follower', () => {
    expect(decideType(viewOf({ fitness: impaired, sequencerActive: true }))).toBe('stop');
  });

  it('FailureAndRetry3: (0,0,0) of a stalled chain gains leadership: starts although unhealthy, waits to become healthy', () => {
    const stalled = [successor('b', stale), successor('c', stale)];
    const started = { fitness: stale, sequencerActive: true, progressing: true, successors: stalled };
    expect(decideType(leader({ fitness: stale, successors: stalled }))).toBe('start');
    expect(decideType(leader(started))).toBe('none');
    expect(decideType(leader({ ...started, fitness: fit }))).toBe('none');
  });

  it('ConductorRestart: starts with (0,1,1): stop', () => {
    expect(decideType(viewOf({ sequencerActive: true }))).toBe('stop');
  });
});
