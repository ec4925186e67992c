import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { wireProblem, type Member } from '../../raft/index.js';
import { withDeadline } from '../../common/deadline.js';
import type { Sleep } from '../time/sleep.js';
import type { PeerIdentity } from './membership-service.js';

export interface ListedPeer {
  id: string;
  /** Consensus address, `host:port`. */
  addr: string;
}

/** What a node adds to its identity while a cluster forms. */
export interface FormationAnswer extends PeerIdentity {
  /** Nothing was ever written to its disk. */
  empty: boolean;
  /** Digest of the list that the node was given; null without one. */
  peersDigest: string | null;
}

interface FormationOptions {
  self: { id: string; incarnation: string };
  peers: readonly ListedPeer[];
  hello(address: string, signal: AbortSignal): Promise<FormationAnswer>;
  /** True as soon as this node belongs to a cluster, in any way. */
  isMember(): boolean;
  bootstrap(members: readonly Member[]): Promise<void>;
  logger: Logger;
  signal: AbortSignal;
  retryMs: number;
  dialTimeoutMs: number;
  sleep: Sleep;
  /** Called with the reason after each attempt that failed. */
  onWaiting?: (reason: string) => void;
}

/** How often in a row a possibly brief reason must be seen before it is reported. */
const PASSING_TIMES_MAX = 20;

/** Equal lists have equal digests, whatever their order. */
export function peersDigest(peers: readonly ListedPeer[]): string {
  const lines = peers.map(({ id, addr }) => `${id}@${addr}`).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/**
 * Forms a cluster from a list that all its nodes were given. The first node of the list founds it, but only if every
 * listed node is there, empty, and was given the same list. The others join by its first message. A node that finds an
 * existing cluster, or whose peers are not all empty, never founds one: it waits to be added.
 */
export async function formCluster(options: FormationOptions): Promise<void> {
  const { self, peers, logger, signal } = options;
  const digest = peersDigest(peers);
  const founder = [...peers].sort((a, b) => (a.id < b.id ? -1 : 1))[0];
  let lastReason = '';
  let times = 0;
  while (!signal.aborted && !options.isMember()) {
    const { members, reason, mayPass = false } = await ask(options, digest);
    if (members && founder?.id === self.id && !options.isMember()) {
      logger.info(
        { members: members.map((member) => member.id) },
        'all listed nodes are empty: founding the cluster',
      );
      await options.bootstrap(members);
      return;
    }
    options.onWaiting?.(reason);
    times = reason === lastReason ? times + 1 : 1;
    lastReason = reason;
    if (times === (mayPass ? PASSING_TIMES_MAX : 1))
      logger.info({ reason }, 'waiting for the cluster to form');
    await options.sleep(options.retryMs, signal).catch(() => undefined);
  }
}

interface Asked {
  members?: Member[];
  /** Why it cannot be formed yet. */
  reason: string;
  /** Every formation has such a moment: the founder belongs to the cluster a little before the others. */
  mayPass?: boolean;
}

async function ask(options: FormationOptions, digest: string): Promise<Asked> {
  const { self, peers } = options;
  const members: Member[] = [];
  for (const peer of peers) {
    if (peer.id === self.id) {
      members.push({ id: self.id, address: peer.addr, incarnation: self.incarnation, voter: true });
      continue;
    }
    let answer: FormationAnswer;
    try {
      answer = await withDeadline((signal) => options.hello(peer.addr, signal), {
        timeoutMs: options.dialTimeoutMs,
        signal: options.signal,
      });
    } catch (error) {
      return { reason: `${peer.id} at ${peer.addr} does not answer: ${(error as Error).message}` };
    }
    const problem = findProblem(peer, answer, digest);
    if (problem) return { reason: problem, mayPass: answer.clusterId !== null };
    members.push({ id: peer.id, address: peer.addr, incarnation: answer.incarnation, voter: true });
  }
  return { members, reason: 'all listed nodes are present; the first one founds the cluster' };
}

function findProblem(peer: ListedPeer, answer: FormationAnswer, digest: string): string | undefined {
  if (answer.nodeId !== peer.id)
    return `the node at ${peer.addr} is ${answer.nodeId}, not ${peer.id}: correct --raft.peers`;
  if (answer.clusterId !== null || !answer.empty) {
    return `${peer.id} already belongs to a cluster: add this node with conductor_addServerAsVoter on its leader`;
  }
  if (answer.peersDigest !== digest) {
    return `${peer.id} was given a different list: --raft.peers must be the same on all nodes`;
  }
  // The founder's messages must reach it.
  return wireProblem(answer);
}
