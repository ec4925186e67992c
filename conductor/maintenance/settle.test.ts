import { describe, expect, it } from '@jest/globals';
import type { LoggedPause, Pause } from '../control/switches.js';
import { settle, type OwnPause, type PauseInLog } from './settle.js';

const NOW = 1000;

const own = (change: Partial<Pause> = {}): Pause => ({
  by: 'conductor_pause',
  sinceMs: 1,
  id: 'p',
  ...change,
});
const logged = (id: string, change: Partial<LoggedPause> = {}): LoggedPause => ({
  ...{ id, logIndex: 5, sinceMs: 1 },
  ...change,
});

function next(node: Partial<OwnPause>, log: Partial<PauseInLog> = {}): object {
  return settle(
    { pause: null, resumed: [], ...node },
    { member: undefined, appliedIndex: 9, recordedAt: undefined, ...log },
    NOW,
  );
}

describe('how an own pause is merged with the log', () => {
  it.each<[string, Partial<OwnPause>, Partial<PauseInLog>, object]>([
    ['nothing is paused', {}, {}, { type: 'none' }],
    ['a pause that was set without the log', { pause: own() }, {}, { type: 'publishPause' }],
    ['a pause that is in the log', { pause: own() }, { member: logged('p') }, { type: 'note', logIndex: 5 }],
    ['a pause that is in the journal', { pause: own() }, { recordedAt: 4 }, { type: 'note', logIndex: 4 }],
    ['both agree', { pause: own({ logIndex: 5 }) }, { member: logged('p') }, { type: 'none' }],
    [
      'a pause that was recorded and resumed elsewhere',
      { pause: own({ logIndex: 5 }) },
      {},
      { type: 'end', reason: 'resumed-elsewhere' },
    ],
    [
      'a recorded pause after a restart that has not applied it again',
      { pause: own({ logIndex: 5 }) },
      { appliedIndex: 4 },
      { type: 'none' },
    ],
    [
      'a recorded pause, and a longer one',
      { pause: own({ logIndex: 5 }) },
      { member: logged('longer', { logIndex: 6 }) },
      { type: 'adopt', pause: logged('longer', { logIndex: 6 }) },
    ],
    [
      'a pause that was recorded while the node was away, or lost its disk',
      {},
      { member: logged('m') },
      { type: 'adopt', pause: logged('m') },
    ],
    [
      'a resume without the log',
      { resumed: ['m'] },
      { member: logged('m') },
      { type: 'publishResume', pauseId: 'm' },
    ],
    [
      'a resume without the log, and a newer pause',
      { resumed: ['m'] },
      { member: logged('newer') },
      { type: 'adopt', pause: logged('newer') },
    ],
    [
      'an own pause whose time is over',
      { pause: own({ untilMs: NOW }) },
      {},
      { type: 'end', reason: 'time-over' },
    ],
    ['a recorded one whose time is over', {}, { member: logged('m', { untilMs: NOW }) }, { type: 'none' }],
    [
      'a resumed one whose time is over: the leader ends it',
      { resumed: ['m'] },
      { member: logged('m', { untilMs: NOW }) },
      { type: 'none' },
    ],
    ['a pause by the flag', { pause: { by: 'flag', sinceMs: 1 } }, {}, { type: 'none' }],
    ['a pause of an older release', { pause: { by: 'conductor_pause', sinceMs: 1 } }, {}, { type: 'none' }],
  ])('%s', (_, node, log, wanted) => {
    expect(next(node, log)).toEqual(wanted);
  });

  it('does not end a pause without a quorum by a resume that was recorded without knowing it', () => {
    // An earlier pause of this member was resumed elsewhere: the log has no trace of it.
    expect(next({ pause: own({ id: 'local' }), resumed: [] })).toEqual({ type: 'publishPause' });
    // An earlier pause of this member is still in the log, and will be resumed: its own pause is recorded first.
    const log = { member: logged('earlier') };
    expect(next({ pause: own({ id: 'local' }) }, log)).toEqual({ type: 'publishPause' });
  });
});
