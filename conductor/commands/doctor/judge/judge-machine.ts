import type { MachineFacts } from '../facts.js';
import type { Finding } from './finding.js';
import { judgeDirectory } from './judge-directory.js';
import { judgeNode } from './judge-node.js';
import { judgePeers } from './judge-peers.js';
import { judgePorts } from './judge-ports.js';
import { judgeTimingInUse } from './judge-timing-in-use.js';

/** Everything that `baton run` needs from this machine and the network, in the order in which it would notice. */
export function judgeMachine(facts: MachineFacts): Finding[] {
  return [
    ...judgePorts(facts),
    ...judgeDirectory(facts),
    ...judgePeers(facts),
    ...judgeTimingInUse(facts),
    ...judgeNode(facts.node, facts),
  ];
}
