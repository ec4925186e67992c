import type { Configuration, NodeId } from '../../core/configuration.js';
import type { RestoredState } from '../../core/stored-state.js';
import { configurationOf, TestLog } from '../../core/testing/test-log.js';

export const NODES = ['a', 'b', 'c'] as const satisfies readonly NodeId[];

export interface StartingPoint {
  name: string;
  /** All nodes are alike, so it is enough to consider what happens when a acts first. */
  symmetric: boolean;
  disks: readonly RestoredState[];
}

/** Terms of the entries after the first one, which is the configuration; and the term on disk. */
const disk = (term: number, ...terms: number[]): RestoredState => diskOf(configurationOf(NODES), term, terms);

const diskOf = (configuration: Configuration, term: number, terms: readonly number[]): RestoredState => {
  const log = new TestLog(configuration, []);
  // Commands of one leader are equal on all nodes; those of different leaders differ.
  for (const [position, of] of terms.entries()) {
    log.add(of, 'command', new TextEncoder().encode(`term ${of}, ${position}`));
  }
  return log.restored({ term });
};

/** Where the exploration begins. Some stories take too long to reach from an empty cluster. */
export const STARTING_POINTS: readonly StartingPoint[] = [
  { name: 'fresh', symmetric: true, disks: [disk(1), disk(1), disk(1)] },
  // Figure 8 of the paper, at (b): two leaders came and went, each with an entry that only its own disk has.
  { name: 'figure-8', symmetric: false, disks: [disk(2, 2), disk(2), disk(3, 3)] },
  // One voter, to be replaced by another through a joint configuration (Raft thesis §4.3).
  {
    name: 'newcomers',
    symmetric: false,
    disks: NODES.map(() => diskOf(configurationOf(['a'], ['b', 'c']), 1, [])),
  },
  // A leader returns with a tail that nobody else has, after the others continued without it.
  { name: 'stale-tail', symmetric: false, disks: [disk(2, 2, 2, 2), disk(3, 3), disk(3, 3)] },
];
