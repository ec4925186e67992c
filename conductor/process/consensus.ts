import type { Logger } from 'pino';
import { MIB } from '../../common/bytes.js';
import { HttpTransport, LevelStorage, RaftNode } from '../../raft/index.js';
import type { ChainStateMachine } from '../chain/chain-state-machine.js';
import type { CommandVerdict } from '../chain/chain-state-machine.js';
import type { Config } from '../config/config.js';
import { databaseDirectory } from '../config/folders.js';
import { laneTimeouts, limitsOf, retentionOf, timingOf } from './raft-options.js';

/** The Raft node of this process, with its disk; neither is open yet. */
export function createRaft(
  config: Config,
  stateMachine: ChainStateMachine,
  logger: Logger,
  onFatal: (error: Error) => void,
): RaftNode<CommandVerdict> {
  const { serverId, priority, crashEvidence } = config.raft;
  return new RaftNode({
    nodeId: serverId,
    priority,
    crashEvidence,
    timing: timingOf(config),
    limits: limitsOf(config.rpc.bodyLimitBytes),
    retention: retentionOf(config),
    storage: new LevelStorage({ directory: databaseDirectory(config.raft) }),
    stateMachine,
    logger: logger.child({ part: 'raft' }),
    onFatal,
  });
}

/**
 * The network of the Raft node, which gives it its identity when it starts; nothing is bound yet.
 *
 * @param hello what this node says of itself to other nodes, besides who it is
 * @param onStray a cluster lives that lists this node's address, and that this node does not belong to
 */
export function createTransport(
  { consensus, raft: { peers }, rpc }: Config,
  raft: RaftNode<CommandVerdict>,
  logger: Logger,
  hello: () => object,
  onStray: (clusterId: string) => void,
): HttpTransport {
  return new HttpTransport({
    bind: { host: consensus.listenHost, port: consensus.listenPort },
    bodyLimitBytes: rpc.bodyLimitBytes + MIB,
    timeouts: () => laneTimeouts(raft.timing),
    // Members that came back with other addresses are found where the flags say, and can be added anew.
    otherAddress: (id) => peers.find((peer) => peer.id === id)?.addr,
    logger: logger.child({ part: 'transport' }),
    hello,
    onStray,
  });
}
