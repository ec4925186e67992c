import { describe, expect, it } from '@jest/globals';
import {
  announce,
  DecisionStory,
  expectTranscript,
  fitnessName,
  orphanTranscripts,
  tellAction,
} from '../testing/decision-story.js';
import { LEVELS, successor, viewOf } from '../testing/views.js';
import { decide as decideOn, type Action, type Successor, type View } from './decide.js';
import { Fitness } from './eligibility.js';

const { unfit, impaired, stale, fit } = Fitness;

const OF_NO_CLUSTER = { belongsToCluster: false } as const;

const leader = (changes: Partial<View> = {}): View => viewOf({ role: 'leader', ...changes });

/** A test that is compared to the transcript of its title as well. */
function story(title: string, tell: (decide: (view: View) => Action) => void): void {
  announce(title);
  it(title, () => {
    const told = new DecisionStory(title);
    tell(told.decide);
    told.end();
  });
}

/** The same for one view. */
const row = (title: string, view: View, type: Action['type']): void =>
  story(title, (decide) => expect(decide(view).type).toBe(type));

/** The fitness of the leader against that of the best successor. */
describe('decide, as a table', () => {
  const tables: [string, Partial<View>][] = [
    ['a leader that is not sequencing', { sequencerActive: false }],
    ['a leader that sequences, and the head stands still', { sequencerActive: true }],
    [
      'a leader that sequences, and the head has stood still for long',
      { sequencerActive: true, stuck: true },
    ],
    ['a leader that sequences, and the head moves', { sequencerActive: true, progressing: true }],
  ];
  for (const [title] of tables) announce(title);

  it.each(tables)('%s', (title, changes) => {
    const rows = LEVELS.flatMap((fitness) =>
      [undefined, ...LEVELS].map((best) => {
        const successors = best === undefined ? [] : [successor('b', best)];
        const other = best === undefined ? 'nobody else' : `b ${fitnessName(best)}`;
        const action = tellAction(decideOn(leader({ ...changes, fitness, successors })));
        return `leader ${fitnessName(fitness).padEnd(8)}  ${other.padEnd(11)}  ${action}`;
      }),
    );
    expectTranscript(title, rows.join('\n'));
  });
});

describe('decide, while the cluster is halted', () => {
  const halted = (changes: Partial<View> = {}): View => viewOf({ halted: true, ...changes });
  const others = [successor('b', fit)];

  row(
    'halted: a leader that sequences ends its block and stops',
    halted({ role: 'leader', sequencerActive: true }),
    'stop',
  );
  row(
    'halted: a paused leader stops, too',
    halted({ role: 'leader', sequencerActive: true, paused: true }),
    'stop',
  );
  row(
    'halted: a leader does not start, and does not hand over a chain that does not advance',
    halted({ role: 'leader', fitness: stale, stuck: true, successors: others }),
    'none',
  );
  row(
    'halted: a leader whose node is sick keeps leadership',
    halted({ role: 'leader', fitness: unfit, successors: others }),
    'none',
  );
  row('halted: a follower that sequences stops', halted({ sequencerActive: true }), 'stop');
  row('halted: a follower gets the blocks that it lacks', halted({ lagging: true, lagBlocks: 4 }), 'feed');
  row('halted: not before leadership is complete', halted({ role: 'elect', sequencerActive: true }), 'none');

  story('halted: what must not go on is stopped without waiting for its last block', (decide) => {
    const mustStop = 'block 17 is 0xb, committed is 0xa';
    expect(decide(halted({ role: 'leader', sequencerActive: true, mustStop }))).toMatchObject({
      type: 'stop',
      abandon: true,
    });
  });
});

describe('decide, as a leader whose sequencer is off the committed chain', () => {
  const mustStop = 'block 17 is 0xb, committed is 0xa';
  const off = (changes: Partial<View> = {}): View => leader({ sequencerActive: true, mustStop, ...changes });

  story('a sequencer off the chain is stopped, whatever the fitness', (decide) => {
    for (const fitness of LEVELS) {
      expect(decide(off({ fitness }))).toEqual({ type: 'stop', abandon: true, reason: mustStop });
    }
  });

  story('a sequencer off the chain that does not run: the ordinary start brings it to the head', (decide) => {
    expect(decide(off({ sequencerActive: false })).type).toBe('start');
    expect(decide(off({ sequencerActive: null, fitness: unfit })).type).toBe('none');
  });

  story('a sequencer off the chain, and another node is fitter: it leads, after the stop', (decide) => {
    const view = off({ fitness: impaired, successors: [successor('b', fit)] });
    expect(decide(view)).toEqual({ type: 'transfer', to: 'b', sequencer: 'abandon', reason: mustStop });
    expect(decide(off({ successors: [successor('b', fit)] })).type).toBe('stop');
  });

  story('a sequencer off the chain whose stop fails for long: another node may try', (decide) => {
    const view = off({ stuck: true, successors: [successor('b', fit)] });
    expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'abandon' });
  });

  story('a leader says that it sequences only after a look at its chain', (decide) => {
    expect(decide(leader({ sequencerActive: true }))).toEqual({ type: 'none', reason: 'sequencing' });
    expect(decide(leader({ sequencerActive: true, compared: false }))).toEqual({
      type: 'none',
      reason: 'its chain is being compared',
    });
  });
});

describe('decide, as a follower', () => {
  story('a witness does nothing, whatever is known of a node that is not there', (decide) => {
    for (const sequencerActive of [null, true, false]) {
      const view = viewOf({ witness: true, fitness: unfit, sequencerActive, lagging: true });
      expect(decide(view)).toEqual({ type: 'none', reason: 'a witness only votes' });
    }
  });

  const following = (what: string, changes: Partial<View>, type: Action['type']): void =>
    row(`a follower ${what}`, viewOf(changes), type);

  following(
    'active, of no cluster: nobody else sequences',
    { ...OF_NO_CLUSTER, sequencerActive: true },
    'none',
  );
  following('of no cluster', OF_NO_CLUSTER, 'none');
  following('in step', {}, 'none');
  following('lagging', { lagging: true }, 'feed');
  following(
    'lagging, and the history does not reach so far: gossip must help',
    { lagging: true, historyTooShort: true },
    'none',
  );
  following('lagging on another branch: a post does not help', { lagging: true, stray: true }, 'none');
  following(
    'active on another branch',
    { sequencerActive: true, mustStop: 'block 17 is 0xb, committed is 0xa', stray: true },
    'stop',
  );
  following('lagging and sick in another way', { lagging: true, fitness: impaired }, 'feed');
  following('lagging without an answer of op-node', { lagging: true, sequencerActive: null }, 'none');
  following('active', { sequencerActive: true }, 'stop');
  following('active and lagging: the stop comes first', { sequencerActive: true, lagging: true }, 'stop');
  following('active although the node seems unreachable', { sequencerActive: true, fitness: unfit }, 'stop');
});

describe('decide, in situations that have cost others their chain', () => {
  story('cold start: a new cluster, all healthy: starts here and nowhere else', (decide) => {
    expect(decide(leader({ successors: [successor('b', fit), successor('c', fit)] })).type).toBe('start');
  });

  story('cold start before anybody has finished a health check: nothing moves', (decide) => {
    const view = leader({ fitness: unfit, successors: [successor('b', unfit), successor('c', unfit)] });
    expect(decide(view).type).toBe('none');
  });

  story(
    'the whole cluster stood still (every head is old): the leader starts, and nobody moves leadership',
    (decide) => {
      const successors = [successor('b', stale), successor('c', stale)];
      expect(decide(leader({ fitness: stale, successors })).type).toBe('start');
      expect(decide(leader({ fitness: stale, successors, sequencerActive: true })).type).toBe('none');
    },
  );

  story('the sequencer makes no blocks, and every head grows old: another node may try ', (decide) => {
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
      reason: 'the chain does not advance',
    });
  });

  story('the sequencer cannot be started for long: another node may try', (decide) => {
    const view = leader({ stuck: true, successors: [successor('b', fit)] });
    expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'leave' });
  });

  story('what the client has left may give way: that another member still has it moves nothing', (decide) => {
    const view = leader({ left: true, lagBlocks: 24, successors: [successor('b', fit, 0)] });
    expect(decide(view).type).toBe('start');
    expect(decide({ ...view, left: false })).toMatchObject({ type: 'transfer', to: 'b' });
  });

  story('a stale leader that has just started catches up, also when a peer seems fit', (decide) => {
    const successors = [successor('b', fit)];
    const view = leader({ fitness: stale, successors, sequencerActive: true, progressing: true });
    expect(decide(view).type).toBe('none');
  });

  story('the active op-node hangs: leadership leaves at once, without waiting for it', (decide) => {
    const action = decide(
      leader({ fitness: unfit, sequencerActive: true, successors: [successor('b', fit)] }),
    );
    expect(action).toEqual({ type: 'transfer', to: 'b', sequencer: 'leave', reason: 'its health is bad' });
  });

  story('the op-node of the leader is gone', (decide) => {
    const view = leader({ fitness: unfit, sequencerActive: null, successors: [successor('b', fit)] });
    expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'leave' });
  });

  story(
    'the op-node of the leader is gone and every other node is paused: nobody gets leadership',
    (decide) => {
      const view = leader({ fitness: unfit, sequencerActive: null, successors: [successor('b', unfit)] });
      expect(decide(view).type).toBe('none');
    },
  );

  story('an operator restarted op-node: the facts say inactive, so it is started again', (decide) => {
    expect(decide(leader({ sequencerActive: false })).type).toBe('start');
  });

  story('the history is too short: leadership goes to a node that is closer to the head', (decide) => {
    const view = (lagOfOther: number): View =>
      leader({
        historyTooShort: true,
        lagBlocks: 9,
        successors: [successor('b', fit, lagOfOther)],
      });
    expect(decide(view(2))).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'leave' });
    expect(decide(view(9)).type).toBe('start');
    expect(decide(view(20)).type).toBe('start');
  });

  story('the history is too short and the only closer node is sick: stays here and tries on', (decide) => {
    const view = leader({
      historyTooShort: true,
      lagBlocks: 9,
      successors: [successor('b', impaired, 0)],
    });
    expect(decide(view).type).toBe('start');
  });

  story(
    'the local node misses so many blocks that another one leads sooner: it does, unless it is sick',
    (decide) => {
      const view = (lagBlocks: number, ...successors: Successor[]): View =>
        leader({ fitness: stale, lagBlocks, successors });
      expect(decide(view(500, successor('b', stale, 490), successor('c', stale, 3)))).toMatchObject({
        type: 'transfer',
        to: 'c',
        sequencer: 'leave',
      });
      expect(decide(view(10, successor('b', stale, 0))).type).toBe('start');
      expect(decide(view(500, successor('b', stale, 490))).type).toBe('start');
      expect(decide(view(500, successor('b', impaired, 0))).type).toBe('start');
    },
  );

  story('leadership goes to the best of several successors', (decide) => {
    const successors = [successor('c', fit), successor('b', stale)];
    expect(decide(leader({ fitness: impaired, successors }))).toMatchObject({ type: 'transfer', to: 'c' });
  });
});

/** docs/reference/op-conductor.md §9.3. Those that need an execution client are in start-sequencer.test.ts. */
describe('decide, scenarios of op-conductor', () => {
  const others = [successor('b', fit), successor('c', fit)];

  story(
    'Scenario1: gains leadership with a head that cannot be reached: another, closer node gets it',
    (decide) => {
      const view = leader({
        historyTooShort: true,
        lagBlocks: 50,
        successors: others,
      });
      expect(decide(view).type).toBe('transfer');
    },
  );

  story('Scenario2: (0,0,0) turns healthy: nothing', (decide) => {
    expect(decide(viewOf({ fitness: impaired })).type).toBe('none');
    expect(decide(viewOf({ fitness: fit })).type).toBe('none');
  });

  story('Scenario3: (0,1,0) gains leadership: start, as soon as leadership is complete', (decide) => {
    expect(decide(viewOf({ role: 'elect' })).type).toBe('none');
    expect(decide(leader({ successors: others })).type).toBe('start');
    expect(decide(leader({ sequencerActive: true, successors: others })).type).toBe('none');
  });

  story('Scenario5: (0,1,0) turns unhealthy: nothing', (decide) => {
    for (const fitness of [impaired, stale, unfit]) expect(decide(viewOf({ fitness })).type).toBe('none');
  });

  story('Scenario6: (1,1,1) loses leadership: stop', (decide) => {
    expect(decide(viewOf({ sequencerActive: true })).type).toBe('stop');
  });

  story('Scenario7: (1,1,1) turns unhealthy: stop and transfer', (decide) => {
    for (const fitness of [impaired, stale]) {
      const view = leader({ fitness, sequencerActive: true, successors: others });
      expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'stop' });
    }
  });

  story(
    'FailureAndRetry1: the stop worked, the transfer did not: only the transfer is left to do',
    (decide) => {
      const view = leader({ fitness: impaired, sequencerActive: false, successors: others });
      expect(decide(view)).toMatchObject({ type: 'transfer', to: 'b', sequencer: 'leave' });
    },
  );

  story('FailureAndRetry2: the stop failed, the transfer worked: stops as a follower', (decide) => {
    expect(decide(viewOf({ fitness: impaired, sequencerActive: true })).type).toBe('stop');
  });

  story(
    'FailureAndRetry3: (0,0,0) of a stalled chain gains leadership: starts although unhealthy, waits to become healthy',
    (decide) => {
      const stalled = [successor('b', stale), successor('c', stale)];
      const started = { fitness: stale, sequencerActive: true, progressing: true, successors: stalled };
      expect(decide(leader({ fitness: stale, successors: stalled })).type).toBe('start');
      expect(decide(leader(started)).type).toBe('none');
      expect(decide(leader({ ...started, fitness: fit })).type).toBe('none');
    },
  );

  story('ConductorRestart: starts with (0,1,1): stop', (decide) => {
    expect(decide(viewOf({ sequencerActive: true })).type).toBe('stop');
  });
});

describe('the transcripts', () => {
  it('are all of stories that there are', () => {
    expect(orphanTranscripts()).toEqual([]);
  });
});
