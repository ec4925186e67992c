import { zeroWeights, type Simplification } from '../../../raft/evidence/simulator/simplification.js';
import { FAULT_NAMES, type FaultWeights, type SimulationOptions } from './options.js';

/** What can be removed from a cluster to see whether a failure needs it. Each has a name for the command line. */
export const simplifications: Readonly<Record<string, Simplification<SimulationOptions>>> = {
  'fifth-machine': (options) => void (options.nodes = Math.min(3, options.nodes)),
  'third-machine': (options) => void Object.assign(options, { nodes: 1, witness: false }),
  witness: (options) => void (options.witness = false),
  past: ({ past, nodes }) => {
    past.height = 0;
    past.behind = Array.from({ length: nodes }, () => 0);
  },
  'late-comers': ({ past, nodes }) => void (past.behind = Array.from({ length: nodes }, () => 0)),
  'late-founding': (options) => void (options.foundedAfterMs = 0),
  ...zeroWeights<SimulationOptions, FaultWeights>('', (options) => options.faults.weights, FAULT_NAMES),
  'lasting-faults': (options) => void (options.staysBroken = 'nothing'),
  'unfinished-writes': ({ disk }) => void (disk.survivesDeathChance = 0),
  'slow-disks': ({ disk }) => void (disk.writeMeanMs = Math.min(0.5, disk.writeMeanMs)),
  loss: ({ raftLinks }) => void (raftLinks.lossChance = 0),
  'slow-network': ({ raftLinks }) => {
    raftLinks.delayMeanMs = Math.min(0.3, raftLinks.delayMeanMs);
    raftLinks.bytesPerMs = 100_000;
  },
  'lost-gossip': ({ gossip }) => void (gossip.lossChance = 0),
  'late-gossip': ({ gossip }) => void (gossip.delayMeanMs = Math.min(3, gossip.delayMeanMs)),
  'lost-posts': ({ node }) => void (node.losesPostChance = 0),
  'lost-answers': ({ node }) => void (node.losesAnswerChance = 0),
  'builder-that-seals-anew': ({ node }) => void (node.sealsAnewChance = 0),
  'active-at-start': ({ node }) => void (node.activeAtStartChance = 0),
  'slow-calls': ({ node }) => void (node.callMeanMs = Math.min(0.2, node.callMeanMs)),
  'slow-imports': ({ node }) => void (node.importMeanMs = Math.min(2, node.importMeanMs)),
  'late-notice': ({ node }) => void (node.noticeMeanMs = Math.min(100, node.noticeMeanMs)),
  'large-blocks': ({ node }) => void (node.transactionBytesMax = 200),
  'slow-blocks': (options) => void (options.blockTimeS = 1),
  compaction: ({ conductor }) => void (conductor.retainedEntries = 1000),
  evidence: ({ conductor }) => void (conductor.crashEvidence = false),
  'round-robin': ({ conductor }) => void (conductor.roundRobin = false),
  'late-l1': ({ l1 }) => void (l1.seenWithinMs = Math.min(200, l1.seenWithinMs)),
};
