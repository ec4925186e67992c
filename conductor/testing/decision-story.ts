import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectCommitted, fileNameOf, orphansIn } from '../../raft/testing/committed-text.js';
import { decide, type Action, type Successor, type View } from '../control/decide.js';
import { Fitness } from '../control/eligibility.js';

const FOLDER = fileURLToPath(new URL('../control/transcripts/', import.meta.url));

/** The transcript of all views together. */
export const EVERY_VIEW = 'every view';

/** Files of the stories that there are. */
const announced = new Set([fileNameOf(EVERY_VIEW)]);

/** Says that there is a transcript of this title, before the tests run. */
export function announce(title: string): void {
  const file = fileNameOf(title);
  if (announced.has(file)) throw new Error(`two stories are called "${title}"`);
  announced.add(file);
}

/** Compares a text to the committed transcript of that title (control/transcripts/README.md). */
export const expectTranscript = (title: string, text: string): void =>
  expectCommitted(path.join(FOLDER, fileNameOf(title)), `${title}\n\n${text}\n`);

/** Transcripts whose story is gone. */
export const orphanTranscripts = (): string[] => orphansIn(FOLDER, announced);

/** Decides, and remembers what was known and what was decided. */
export class DecisionStory {
  private readonly parts: string[] = [];

  constructor(private readonly title: string) {}

  readonly decide = (view: View): Action => {
    const action = decide(view);
    this.parts.push(tellDecision(view, action));
    return action;
  };

  /** Compares everything that was decided to the committed transcript. */
  end(): void {
    expectTranscript(this.title, this.parts.join('\n\n'));
  }
}

function tellDecision(view: View, action: Action): string {
  const others = view.successors.map(tellSuccessor);
  return [
    ['facts', factsOf(view).join(', ')],
    ...others.map((other, index) => [index === 0 ? 'others' : '', other]),
    ['decide', tellAction(action)],
    ['because', action.reason],
  ]
    .map(([label, text]) => `${label!.padEnd(8)} ${text}`)
    .join('\n');
}

/** What is out of the ordinary, after role, sequencer and fitness. */
function factsOf(view: View): string[] {
  const said: [boolean, string][] = [
    [view.paused, 'paused'],
    [view.stopping, 'stopping'],
    [view.witness, 'witness'],
    [!view.belongsToCluster, 'of no cluster'],
    [view.mustStop !== undefined, `off the chain (${view.mustStop})`],
    [!view.compared, 'chain not compared yet'],
    [view.stray, 'on another branch'],
    [view.left, 'its client has left the chain'],
    [view.progressing, 'progressing'],
    [view.transferring, 'transfer under way'],
    [view.stuck, 'stuck'],
    [view.lagging, 'lagging'],
    [view.historyTooShort, 'history too short'],
    [view.lagBlocks !== 0, `misses ${view.lagBlocks} blocks`],
    [view.preferred !== undefined, `${view.preferred} is preferred`],
  ];
  return [
    { leader: 'leader', elect: 'leader, not ready', follower: 'follower' }[view.role],
    view.sequencerActive === null
      ? 'op-node does not answer'
      : view.sequencerActive
        ? 'sequencing'
        : 'not sequencing',
    fitnessName(view.fitness),
    ...said.filter(([holds]) => holds).map(([, text]) => text),
  ];
}

const tellSuccessor = ({ id, fitness, lagBlocks, priority, avoided }: Successor): string =>
  [
    `${id} ${fitnessName(fitness)}`,
    ...(lagBlocks === 0 ? [] : [`misses ${lagBlocks} blocks`]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(avoided ? ['a transfer to it has failed'] : []),
  ].join(', ');

const BEFORE_TRANSFER = {
  stop: 'stop the sequencer first',
  abandon: 'abandon the sequencer first',
  leave: 'leave the sequencer alone',
};

/** One line, without the reason. */
export function tellAction(action: Action): string {
  switch (action.type) {
    case 'none':
      return 'nothing';
    case 'start':
      return 'start the sequencer';
    case 'stop':
      return action.abandon ? 'abandon the sequencer' : 'stop the sequencer';
    case 'feed':
      return 'post missing blocks to the local node';
    case 'transfer':
      return `transfer to ${action.to}, ${BEFORE_TRANSFER[action.sequencer]}`;
  }
}

export const fitnessName = (fitness: Fitness): string =>
  Object.entries(Fitness).find(([, level]) => level === fitness)![0];
