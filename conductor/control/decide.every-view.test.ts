import { describe, expect, it } from '@jest/globals';
import { EVERY_VIEW, expectTranscript, tellAction } from '../testing/decision-story.js';
import { LEVELS, successor, viewOf } from '../testing/views.js';
import { decide, type Action, type View } from './decide.js';
import { encodeEligibility, Fitness } from './eligibility.js';

const { unfit, fit } = Fitness;
const BOOLEANS = [false, true] as const;

/** All dimensions of a view of a member with a node. */
const DIMENSIONS = {
  role: ['leader', 'elect', 'follower'],
  witness: [false],
  belongsToCluster: [true],
  sequencerActive: [true, false, null],
  fitness: LEVELS,
  /** Fitness of the only successor; undefined: there is none. */
  best: [undefined, ...LEVELS],
  lag: [
    { own: 4, best: 0 },
    { own: 4, best: 8 },
    { own: 500, best: 8 },
  ],
  mustStop: [undefined, 'block 7 is 0xb, committed is 0xa'],
  compared: BOOLEANS,
  away: [
    { stray: false, left: false },
    { stray: true, left: true },
  ],
  progressing: BOOLEANS,
  historyTooShort: BOOLEANS,
  lagging: BOOLEANS,
  paused: BOOLEANS,
  halted: BOOLEANS,
  stopping: BOOLEANS,
} as const;

/** A witness hears nothing from a node. */
const WITNESS_DIMENSIONS = {
  ...DIMENSIONS,
  witness: [true],
  sequencerActive: [null],
  fitness: [unfit],
} as const;

/** A node without a cluster leads nobody, and has no log that could hold a halt. */
const STRANGER_DIMENSIONS = {
  ...DIMENSIONS,
  role: ['follower'],
  belongsToCluster: [false],
  halted: [false],
} as const;

type Choice<T extends Record<string, readonly unknown[]>> = { [K in keyof T]: T[K][number] };

/** Every way to choose one value of each dimension. */
function product<T extends Record<string, readonly unknown[]>>(dimensions: T): Choice<T>[] {
  const choices = Object.entries(dimensions).reduce<object[]>(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  );
  return choices as Choice<T>[];
}

const everyView = (): View[] =>
  [DIMENSIONS, WITNESS_DIMENSIONS, STRANGER_DIMENSIONS]
    .flatMap((dimensions) => product(dimensions))
    .map(({ best, lag, away, ...said }) =>
      viewOf({
        ...said,
        ...away,
        eligibility: encodeEligibility(said.fitness, lag.own),
        lagBlocks: lag.own,
        successors: best === undefined ? [] : [successor('b', best, lag.best)],
      }),
    );

describe('decide, in every view', () => {
  const rules: [string, (view: View, action: Action) => boolean | undefined][] = [
    ['gives a reason', (_, action) => action.reason !== ''],
    [
      'does nothing while paused, stopping or not yet in office; a pause of a witness is about nothing',
      ({ paused, halted, witness, stopping, role }, action) =>
        !((paused && !halted && !witness) || stopping || role === 'elect') || action.type === 'none',
    ],
    [
      'starts and hands over nothing while halted, and stops exactly what is active, paused or not',
      ({ halted, stopping, role, sequencerActive }, action) =>
        !halted ||
        stopping ||
        role === 'elect' ||
        (sequencerActive === true ? action.type === 'stop' : ['none', 'feed'].includes(action.type)),
    ],
    [
      'a witness that leads transfers leadership exactly when somebody can and may sequence, and does nothing else',
      ({ witness, role, halted, stopping, successors }, action) => {
        if (!witness) return true;
        const leaves =
          role === 'leader' && !halted && !stopping && successors.some(({ fitness }) => fitness > unfit);
        return action.type === (leaves ? 'transfer' : 'none');
      },
    ],
    [
      'touches no sequencer before it belongs to a cluster',
      ({ belongsToCluster }, action) => belongsToCluster || action.type === 'none',
    ],
    [
      'stops the sequencer of every follower that belongs to a cluster',
      ({ role, belongsToCluster, paused, stopping, sequencerActive }, action) =>
        !(role === 'follower' && belongsToCluster && !paused && !stopping && sequencerActive) ||
        action.type === 'stop',
    ],
    [
      'only a leader starts or hands over',
      ({ role }, action) => !['start', 'transfer'].includes(action.type) || role === 'leader',
    ],
    [
      'only a follower stops or feeds, and a leader stops what is off the chain or halted',
      ({ role, mustStop, halted }, action) =>
        !['stop', 'feed'].includes(action.type) ||
        role === 'follower' ||
        (action.type === 'stop' && (halted || mustStop !== undefined)),
    ],
    [
      'lets no sequencer go on that is off the chain',
      ({ role, paused, halted, stopping, sequencerActive, mustStop }, action) =>
        role !== 'leader' ||
        (paused && !halted) ||
        stopping ||
        sequencerActive !== true ||
        mustStop === undefined ||
        ((halted || action.reason === mustStop) &&
          ((action.type === 'stop' && action.abandon) ||
            (action.type === 'transfer' && action.sequencer === 'abandon'))),
    ],
    [
      'calls it sequencing only after a look at its chain',
      ({ role, compared, mustStop }, action) =>
        action.reason !== 'sequencing' || (role === 'leader' && compared && mustStop === undefined),
    ],
    [
      'stops exactly what is active',
      ({ sequencerActive }, action) => action.type !== 'stop' || !!sequencerActive,
    ],
    [
      'never starts what is active',
      ({ sequencerActive }, action) => action.type !== 'start' || !sequencerActive,
    ],
    ['never starts an unfit node', ({ fitness }, action) => action.type !== 'start' || fitness > unfit],
    [
      'feeds no node that does not answer, is in step, strays, or misses more than there is',
      (view, action) =>
        action.type !== 'feed' ||
        (view.sequencerActive === false && view.lagging && !view.stray && !view.historyTooShort),
    ],
    [
      'hands over to the best successor only, and never to an unfit one',
      ({ successors }, action) =>
        action.type !== 'transfer' || (action.to === successors[0]?.id && successors[0].fitness > unfit),
    ],
    [
      'hands over to a fitter node, or to one closer to the head: when the history is too short, or this one is far behind and has not left',
      (view, action) => {
        const [best] = view.successors;
        if (action.type !== 'transfer' || !best) return true;
        const isCloser = best.eligibility > view.eligibility;
        return (
          best.fitness > view.fitness ||
          (isCloser && (view.historyTooShort || (view.lagBlocks === 500 && !view.left)))
        );
      },
    ],
    [
      'never hands over while it sequences in good health',
      ({ fitness, sequencerActive }, action) =>
        action.type !== 'transfer' || fitness < fit || !sequencerActive,
    ],
    [
      'stops before it hands over exactly when there is something to stop that answers',
      (view, action) =>
        action.type !== 'transfer' ||
        (action.sequencer !== 'leave') ===
          (view.sequencerActive === true && (view.fitness > unfit || view.mustStop !== undefined)),
    ],
    [
      'no leader that could sequence stands idle',
      (view, action) =>
        view.role !== 'leader' ||
        view.paused ||
        view.halted ||
        view.stopping ||
        view.sequencerActive === true ||
        view.fitness === unfit ||
        action.type !== 'none',
    ],
    ['says the same to the same view', (view, action) => same(decide({ ...view }), action)],
  ];
  const same = (a: Action, b: Action): boolean => JSON.stringify(a) === JSON.stringify(b);

  const decided = everyView().map((view) => ({ view, action: decide(Object.freeze(view)) }));

  it.each(rules)('%s', (_, holds) => {
    for (const { view, action } of decided) {
      if (!holds(view, action)) throw new Error(`${JSON.stringify(action)} for ${JSON.stringify(view)}`);
    }
    expect(decided).toHaveLength(((3 * 5 + 1) * 3 * 2 + 5 * 3) * 6 * 3 * 2 ** 8);
  });

  it('says how often each action is chosen, and why', () => {
    const counts = new Map<string, number>();
    for (const { view, action } of decided) {
      const line = `${view.role}: ${tellAction(action)}, because ${action.reason}`;
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    const lines = [...counts].map(([line, count]) => `${String(count).padStart(6)}  ${line}`);
    expectTranscript(EVERY_VIEW, lines.sort((a, b) => (a.slice(8) < b.slice(8) ? -1 : 1)).join('\n'));
  });
});
