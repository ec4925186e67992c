import {
  TIMING_PROFILES,
  wireProblem,
  type ClusterTiming,
  type CoreStatus,
  type HelloAnswer,
  type MembershipChange,
  type Outcome,
  type PeerStatus,
} from '../../raft/index.js';
import { withDeadline } from '../../common/deadline.js';
import type { CallerIdentity } from '../../rpc/server/json-rpc/caller.js';
import { RpcError } from '../../rpc/server/json-rpc/rpc-error.js';
import type { Sleep } from '../time/sleep.js';
import { seeThrough, type Change, type LeaderCall } from './see-through.js';

/** What a node tells any caller about itself. */
export type PeerIdentity = Omit<HelloAnswer, 'bootId'>;

/** What changes of the membership need from the Raft node. */
export type MembershipStatus = Pick<
  CoreStatus,
  'role' | 'ready' | 'leader' | 'lastIndex' | 'configuration'
> & {
  readonly peers: readonly Pick<PeerStatus, 'id' | 'state' | 'matchIndex'>[];
};

export interface MembershipRaft {
  status(): MembershipStatus;
  changeMembership(
    change: MembershipChange,
    expectedIndex?: number,
    options?: ChangeOptions,
  ): Promise<Outcome<object>>;
  setTiming(timing: ClusterTiming, expectedIndex?: number): Promise<Outcome<object>>;
}

export interface ChangeOptions {
  /** Make the change even if the voters that answer now would not be a majority afterwards. */
  force?: boolean;
}

/** How a change is requested, and by whom. */
export interface ChangeRequest extends ChangeOptions {
  by?: CallerIdentity | undefined;
}

interface MembershipOptions {
  raft: MembershipRaft;
  clusterId(): string | null;
  /** Asks the node at a consensus address who it is. */
  hello(address: string, signal: AbortSignal): Promise<PeerIdentity>;
  /** Has the current leader carry out a call. */
  atLeader(leader: string, call: LeaderCall): Promise<void>;
  /** 5 s unless given. */
  dialTimeoutMs?: number;
  /** Longest that a new voter may take to get the log; 30 s unless given. */
  catchUpTimeoutMs?: number;
  sleep: Sleep;
}

const DIAL_TIMEOUT_MS = 5000;
const CATCH_UP_TIMEOUT_MS = 30_000;
const CATCH_UP_POLL_MS = 5;

/** Entries that a new voter may miss at its promotion: it fetches them faster than new ones arrive. */
const PROMOTION_LAG_ENTRIES = 2;

/**
 * Adds and removes members. A new voter first joins without a vote and gets the log, so the cluster never waits for it
 * (Raft thesis §4.2.1). A node whose disk is not the one that was added comes back as a new member.
 */
export class MembershipService {
  constructor(private readonly options: MembershipOptions) {}

  /** @throws RpcError, as do all changes */
  async add(
    id: string,
    address: string,
    version: number,
    voter: boolean,
    { by, ...options }: ChangeRequest = {},
  ): Promise<void> {
    const method = voter ? 'conductor_addServerAsVoter' : 'conductor_addServerAsNonvoter';
    await this.seeThrough({
      ...{ method, by },
      params: [id, address, version],
      attempt: (isRepeated) => this.addOnce(id, address, version, voter, { ...options, isRepeated }),
    });
  }

  private async addOnce(
    id: string,
    address: string,
    version: number,
    voter: boolean,
    { isRepeated, ...options }: ChangeOptions & { isRepeated: boolean },
  ): Promise<void> {
    const incarnation = await this.identify(id, address);
    this.requireLeader(isRepeated);
    const { raft } = this.options;
    const { configuration, index } = raft.status().configuration;
    const existing = configuration.members.find((member) => member.id === id);
    let expected = version === 0 ? undefined : version;
    // The first step may have been committed before the interruption, and is not a change by somebody else.
    if (isRepeated && existing?.incarnation === incarnation) expected = undefined;
    if (existing && existing.incarnation !== incarnation) {
      // Its old vote is bound to a disk that is gone. Swapping disks in one step could give two quorums.
      if (existing.voter && expected === undefined) expected = index;
      expected = await this.change({ type: 'remove', id }, expected, options);
    } else if (existing && (existing.voter || !voter)) {
      await this.change(
        { type: existing.voter ? 'addVoter' : 'addNonvoter', id, address, incarnation },
        expected,
        options,
      );
      return;
    }
    const added = await this.change({ type: 'addNonvoter', id, address, incarnation }, expected, options);
    if (!voter) return;
    await this.caughtUp(id);
    await this.change({ type: 'addVoter', id, address, incarnation }, added, options);
  }

  async demote(id: string, version: number, { by, ...options }: ChangeRequest = {}): Promise<void> {
    await this.seeThrough({
      ...{ method: 'conductor_demoteVoter', by },
      params: [id, version, options.force === true],
      attempt: async (isRepeated) => {
        this.requireLeader(isRepeated);
        await this.change({ type: 'demote', id }, version === 0 ? undefined : version, options);
      },
      isTrue: (members) => members.find((member) => member.id === id)?.voter === false,
    });
  }

  async remove(id: string, version: number, { by, ...options }: ChangeRequest = {}): Promise<void> {
    await this.seeThrough({
      ...{ method: 'conductor_removeServer', by },
      params: [id, version, options.force === true],
      attempt: async (isRepeated) => {
        this.requireLeader(isRepeated);
        await this.change({ type: 'remove', id }, version === 0 ? undefined : version, options);
      },
      isTrue: (members) => !members.some((member) => member.id === id),
    });
  }

  /**
   * Replaces the voter `id` by the node `by`, both or neither. The node first joins without a vote and gets the log.
   * For a new disk under an old id, use `add`: one id cannot have two disks at a time.
   */
  async replace(
    id: string,
    by: { id: string; address: string },
    version: number,
    { by: asker, ...options }: ChangeRequest = {},
  ): Promise<void> {
    if (by.id === id) {
      throw new RpcError(`${id} cannot replace itself; add it again for a new disk`, {
        reason: 'wrong-node',
      });
    }
    await this.seeThrough({
      ...{ method: 'conductor_replaceServer', by: asker },
      params: [id, by.id, by.address, version],
      attempt: (isRepeated) => this.replaceOnce(id, by, version, { ...options, isRepeated }),
    });
  }

  private async replaceOnce(
    id: string,
    by: { id: string; address: string },
    version: number,
    { isRepeated, ...options }: ChangeOptions & { isRepeated: boolean },
  ): Promise<void> {
    const incarnation = await this.identify(by.id, by.address);
    this.requireLeader(isRepeated);
    const { members } = this.options.raft.status().configuration.configuration;
    const [old, known] = [id, by.id].map((each) => members.find((member) => member.id === each));
    // Repeated after an answer was lost.
    if (!old && known?.voter && known.incarnation === incarnation) return;
    if (!old?.voter) throw new RpcError(`${id} is not a voter`, { reason: 'not-a-voter' });
    if (known?.voter) {
      throw new RpcError(`${by.id} is a voter already: the cluster would have one less`, {
        reason: 'already-a-voter',
      });
    }
    const newcomer = { ...by, incarnation };
    let expected = version === 0 || (isRepeated && known?.incarnation === incarnation) ? undefined : version;
    if (known?.incarnation !== incarnation || known.address !== by.address) {
      expected = await this.change({ type: 'addNonvoter', ...newcomer }, expected, options);
    }
    await this.caughtUp(by.id);
    await this.change({ type: 'replace', id, by: newcomer }, expected, options);
  }

  /** Timing is part of the configuration. @param timing name of a profile, or free values */
  async setTiming(timing: string | ClusterTiming, version: number): Promise<void> {
    this.requireLeader(false);
    const times = typeof timing === 'string' ? profileNamed(timing) : timing;
    indexOf(await this.options.raft.setTiming(times, version === 0 ? undefined : version));
  }

  private seeThrough(change: Change): Promise<void> {
    const { options } = this;
    return seeThrough(change, {
      status: () => options.raft.status(),
      atLeader: (leader, call) => options.atLeader(leader, call),
      sleep: options.sleep,
    });
  }

  /** Returns the index of the configuration in force after the change. */
  private async change(
    change: MembershipChange,
    expectedIndex: number | undefined,
    options: ChangeOptions,
  ): Promise<number> {
    return indexOf(await this.options.raft.changeMembership(change, expectedIndex, options));
  }

  /** @param isMidway the change has begun */
  private requireLeader(isMidway: boolean): void {
    if (this.options.raft.status().role === 'leader') return;
    throw notLeader(isMidway ? 'leadership-lost' : 'not-leader');
  }

  /** op-conductor also dials the address first. A node that is not there must not get a vote. */
  private async identify(id: string, address: string): Promise<string> {
    const { options } = this;
    if (address === '') throw new RpcError('dial tcp: missing address', { reason: 'unreachable' });
    let peer: PeerIdentity;
    try {
      peer = await withDeadline((signal) => options.hello(address, signal), {
        timeoutMs: options.dialTimeoutMs ?? DIAL_TIMEOUT_MS,
      });
    } catch (error) {
      const { message } = error as Error;
      const detail = message.startsWith(address) ? message : `${address}: ${message}`;
      throw new RpcError(`cannot reach ${id} at ${detail}`, { reason: 'unreachable' });
    }
    if (peer.nodeId !== id) {
      throw new RpcError(`the node at ${address} is ${peer.nodeId}, not ${id}; give its own id and address`, {
        reason: 'wrong-node',
      });
    }
    if (peer.clusterId !== null && peer.clusterId !== options.clusterId()) {
      throw new RpcError(
        `${id} at ${address} belongs to another cluster (${peer.clusterId}); wipe its storage directory first`,
        { reason: 'wrong-cluster' },
      );
    }
    const problem = wireProblem(peer);
    if (problem !== undefined) throw new RpcError(`${address}: ${problem}`, { reason: 'wrong-version' });
    return peer.incarnation;
  }

  private async caughtUp(id: string): Promise<void> {
    const timeoutMs = this.options.catchUpTimeoutMs ?? CATCH_UP_TIMEOUT_MS;
    const end = performance.now() + timeoutMs;
    for (;;) {
      const status = this.options.raft.status();
      if (status.role !== 'leader') throw notLeader('leadership-lost');
      const peer = status.peers.find((candidate) => candidate.id === id);
      if (peer?.state === 'replicate' && peer.matchIndex >= status.lastIndex - PROMOTION_LAG_ENTRIES) return;
      if (performance.now() > end) {
        throw new RpcError(
          `${id} did not get the log within ${timeoutMs} ms; it stays a non-voter: repeat the call once it is reachable`,
          { reason: 'catch-up-timeout' },
        );
      }
      await this.options.sleep(CATCH_UP_POLL_MS);
    }
  }
}

const notLeader = (reason: 'not-leader' | 'leadership-lost'): RpcError =>
  new RpcError('node is not the leader', { reason });

/** Index of the configuration in force after a change. @throws RpcError if there is none */
function indexOf(outcome: Outcome<object>): number {
  if (outcome.outcome === 'done') return outcome.index;
  if (outcome.outcome === 'unknown') {
    throw new RpcError('leadership lost while committing log', {
      reason: 'unknown-outcome',
      cause: outcome.reason,
    });
  }
  if (outcome.reason === 'not-leader') throw notLeader('leadership-lost');
  throw new RpcError(outcome.detail ?? outcome.reason, { reason: outcome.reason });
}

function profileNamed(name: string): ClusterTiming {
  const found = Object.entries(TIMING_PROFILES).find(([profile]) => profile === name)?.[1];
  if (found) return found;
  const known = Object.keys(TIMING_PROFILES).join(', ');
  throw new RpcError(`there is no timing profile "${name}", only ${known}`, { reason: 'invalid-timing' });
}
