import type { Logger } from 'pino';
import { StorageError, type Member, type RaftNode } from '../../raft/index.js';
import type { Config } from '../config/config.js';
import { formatHostPort } from '../config/host-port.js';
import type { Sleep } from '../time/sleep.js';
import { formCluster, peersDigest, type FormationAnswer, type ListedPeer } from './formation.js';
import { listeningMs, type LivingCluster } from './living-cluster.js';

const ADDED_MEANWHILE =
  'a leader added this node before it founded a cluster: it now belongs to the cluster of that leader';

const EMPTY_MEMBER =
  'the storage directory belongs to a cluster but has no log: its leader will send it; if that cluster is gone, wipe the directory';

const LIVING_REMEDY =
  'if this node lost its disk, add it again at the leader (baton add, or conductor_addServerAsVoter) and remove --raft.bootstrap; if you are giving up that cluster, stop its members and start this node again';

/** Pause before the listed nodes are asked again whether a cluster can be founded. */
const FORMATION_RETRY_MS = 250;
const DIAL_TIMEOUT_MS = 5000;

type Raft = Pick<RaftNode<unknown>, 'identity' | 'status' | 'bootstrap'>;

interface JoinOptions {
  config: Pick<Config, 'raft' | 'consensus'>;
  /** Open, and reachable by other nodes. */
  raft: Raft;
  /** The port that the consensus server is bound to. */
  consensusPort: number;
  hello(address: string, signal: AbortSignal): Promise<FormationAnswer>;
  /** Hears incoming frames from the moment this node listens. */
  livingCluster: Pick<LivingCluster, 'listen'>;
  /** This node should have founded a cluster alone and does not, because a cluster lists it. */
  onNotFounded(): Promise<void>;
  /** A cluster could not be formed. */
  onFatal(error: Error): void;
  logger: Logger;
  /** Ends the forming of a cluster. */
  signal: AbortSignal;
  sleep: Sleep;
  /** Called with the reason after each attempt to form a cluster that failed. */
  onWaiting?: (reason: string) => void;
}

/**
 * Makes this node part of a cluster: the one that its disk belongs to; or one that it founds alone, unless an existing
 * one lists it; or one that it forms with the listed nodes, in the background. Otherwise it waits to be added.
 */
export async function joinOrFound(options: JoinOptions): Promise<void> {
  const { raft, logger, config } = options;
  const { clusterId, incarnation } = raft.identity;
  if (clusterId !== null) {
    // Not founded again: the id may also be that of a cluster whose leader has just found this node.
    if (isEmpty(raft)) logger.warn({ clusterId }, EMPTY_MEMBER);
    logger.info({ clusterId, incarnation }, 'rejoining the cluster of the storage directory');
    return;
  }
  if (foundsAlone(config, raft)) return foundAlone(options);
  if (config.raft.peers.length === 0) {
    logger.info('no cluster yet: waiting to be added (conductor_addServerAsVoter on the leader)');
    return;
  }
  const forming = formCluster({
    self: { id: config.raft.serverId, incarnation },
    peers: config.raft.peers,
    hello: (address, signal) => options.hello(address, signal),
    isMember: () => raft.identity.clusterId !== null,
    bootstrap: async (members) => {
      if (!(await found(raft, members))) logger.info(ADDED_MEANWHILE);
    },
    logger,
    signal: options.signal,
    sleep: options.sleep,
    ...(options.onWaiting && { onWaiting: options.onWaiting }),
    retryMs: FORMATION_RETRY_MS,
    dialTimeoutMs: DIAL_TIMEOUT_MS,
  });
  void forming.catch((error: Error) => options.onFatal(error));
}

/** Whether this start founds a cluster of this node alone: it belongs to none, and its flags ask for one. */
export function foundsAlone({ raft }: Pick<Config, 'raft'>, { identity }: Pick<Raft, 'identity'>): boolean {
  return raft.bootstrap && identity.clusterId === null;
}

/** What this node tells the others while a cluster forms. @param peers the list that it was given */
export function formationAnswer(
  raft: Pick<Raft, 'status'>,
  peers: readonly ListedPeer[],
): Pick<FormationAnswer, 'empty' | 'peersDigest'> {
  return { empty: isEmpty(raft), peersDigest: peers.length > 0 ? peersDigest(peers) : null };
}

/** Not while an existing cluster lists this node: its disk was lost, and a second cluster would mean a second chain. */
async function foundAlone(options: JoinOptions): Promise<void> {
  const { raft, consensusPort, config, logger, sleep, signal } = options;
  const address =
    config.consensus.advertisedAddr ?? formatHostPort(config.consensus.listenHost, consensusPort);
  const forMs = listeningMs(config.raft.timing);
  logger.info({ address, forMs }, 'about to found a cluster: listening for one that lists this address');
  options.onWaiting?.('listening for a cluster that lists this address, before one is founded');
  const clusterId = await options.livingCluster.listen(forMs, sleep, signal);
  if (signal.aborted) return;
  if (clusterId !== undefined) {
    logger.error(
      { code: 'living-cluster', clusterId, address, remedy: LIVING_REMEDY },
      'a running cluster lists this address: not founding another, waiting to be added',
    );
    options.onWaiting?.('a running cluster lists this address: waiting to be added');
    return options.onNotFounded();
  }
  const self = { id: config.raft.serverId, address, incarnation: raft.identity.incarnation, voter: true };
  if (await found(raft, [self])) {
    logger.info({ address }, 'founded a cluster of one; the control loop is paused until conductor_resume');
  } else {
    logger.info(ADDED_MEANWHILE);
    await options.onNotFounded();
  }
}

/** False if another cluster took this node in first. */
async function found(raft: Raft, members: readonly Member[]): Promise<boolean> {
  const outcome = await raft.bootstrap(members).catch((error: unknown) => {
    if (error instanceof StorageError && error.code === 'wrong-cluster') return undefined;
    throw error;
  });
  if (outcome?.outcome === 'done') return true;
  if (outcome === undefined || outcome.reason === 'not-empty') return false;
  throw new Error(`the cluster could not be founded: ${outcome.reason}`);
}

function isEmpty(raft: Pick<Raft, 'status'>): boolean {
  const { lastIndex, term } = raft.status();
  return lastIndex === 0 && term === 0;
}
