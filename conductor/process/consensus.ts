import type { Logger } from 'pino';
import { MIB } from '../../common/bytes.js';
import { HttpTransport, LevelStorage, RaftNode, type TransportSecurity } from '../../raft/index.js';
import type { ChainStateMachine } from '../chain/chain-state-machine.js';
import type { CommandVerdict } from '../chain/chain-state-machine.js';
import type { Config } from '../config/config.js';
import { databaseDirectory } from '../config/folders.js';
import { isLoopback } from '../config/host-port.js';
import type { SecurityMetrics } from '../metrics/security-metrics.js';
import { sleep } from '../time/sleep.js';
import { laneTimeouts, limitsOf, retentionOf, timingOf } from './raft-options.js';
import { ConsensusSecurity } from './security/consensus-security.js';

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
 * The network of the Raft node, which gives it its identity at the start. Nothing is bound yet.
 *
 * @param hello what this node tells other nodes about itself, besides who it is
 * @param onStray there is a cluster that lists this node's address, but this node does not belong to it
 * @param answerMember carries out calls from other members
 * @param security undefined: connections are plain
 */
export function createTransport(
  { consensus, raft: { peers }, rpc }: Config,
  raft: RaftNode<CommandVerdict>,
  logger: Logger,
  hello: () => object,
  onStray: (clusterId: string) => void,
  answerMember: (request: unknown, member: string) => Promise<object>,
  security: TransportSecurity | undefined,
): HttpTransport {
  return new HttpTransport({
    bind: { host: consensus.listenHost, port: consensus.listenPort },
    bodyLimitBytes: rpc.bodyLimitBytes + MIB,
    timeouts: () => laneTimeouts(raft.timing),
    // Members that came back with other addresses can be found where the flags say, and added again.
    otherAddress: (id) => peers.find((peer) => peer.id === id)?.addr,
    logger: logger.child({ part: 'transport' }),
    hello,
    onStray,
    answerMember,
    ...(security ? { security } : {}),
  });
}

const OPEN = {
  code: 'consensus-port-open',
  remedy:
    'give the members certificates (--raft.tls.cert, --raft.tls.key, --raft.tls.ca) or a secret (--raft.secret-file), and keep the port on a private network until then (docs/SECURITY.md)',
};

/** What secures the connections to other members; undefined when the port is open. */
export function createSecurity(
  { consensus: { security, listenHost }, raft }: Config,
  metrics: SecurityMetrics,
  logger: Logger,
): ConsensusSecurity | undefined {
  if (security.kind === 'open') {
    if (!isLoopback(listenHost))
      logger.warn(OPEN, 'anyone who reaches the consensus port can write votes and blocks');
    return undefined;
  }
  return new ConsensusSecurity({
    config: security,
    serverId: raft.serverId,
    metrics,
    logger: logger.child({ part: 'security' }),
    sleep,
    now: Date.now,
  });
}
