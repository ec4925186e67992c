import { EventEmitter } from 'node:events';
import {
  TIMING_PROFILES,
  type CoreStatus,
  type Identity,
  type Member,
  type Outcome,
  type PeerStatus,
} from '../../raft/index.js';
import type { RaftNodeEvents } from '../../raft/index.js';
import type { BlockId, BlockRef } from '../../rpc/payload/block-ref.js';
import type { ChainState, Verdict } from '../chain/chain-state.js';
import { applyTo, headOf, readChainCommand } from '../chain/logged-command.js';
import { committed } from './chain.js';

/** The Raft node `a` of the cluster a, b, c (voters) and d (non-voter), without a cluster behind it. */
export class FakeRaft extends EventEmitter<RaftNodeEvents> {
  timing = TIMING_PROFILES.lan;
  readonly nodeId = 'a';
  role: CoreStatus['role'] = 'follower';
  ready = false;
  /** Somebody asked for a transfer that is under way. */
  transferring = false;
  leaderId: string | null = 'b';
  members: Member[] = ['a', 'b', 'c', 'd'].map((id) => ({
    id,
    address: `${id}:50050`,
    incarnation: `disk-${id}`,
    voter: id !== 'd',
  }));
  version = 42;
  peers: PeerStatus[] = ['b', 'c', 'd'].map((id) => ({
    id,
    state: 'replicate',
    matchIndex: 100,
    lastContactMs: 10,
    eligibility: 0,
    priority: 0,
    rank: undefined,
  }));
  identity: Identity = { nodeId: 'a', clusterId: 'c1', incarnation: 'disk-a' };
  /** As last told by this node. */
  eligibility = 0;
  /** Targets of all transfers that were asked for. */
  readonly transfers: (string | undefined)[] = [];
  /** What the next transfers come to; then they succeed. */
  readonly transferOutcomes: Outcome<object>[] = [];
  /** Members that were to get the whole log before a transfer. */
  readonly prepared: string[] = [];
  /** What the next of these come to; then they succeed. */
  readonly prepareOutcomes: Outcome<object>[] = [];
  readonly proposals: string[] = [];
  private logIndex = 0;

  constructor(private readonly chain: ChainState) {
    super();
  }

  status(): CoreStatus {
    return {
      id: 'a',
      role: this.role,
      term: 1,
      leader: this.leaderId,
      ready: this.ready,
      transferring: this.transferring,
      commitIndex: this.logIndex,
      appliedIndex: this.logIndex,
      lastIndex: this.logIndex,
      snapshotIndex: 0,
      logBytes: 0,
      configuration: { index: this.version, configuration: { members: this.members } },
      leaseRemainingMs: 0,
      peers: this.role === 'leader' ? this.rankedPeers() : [],
    };
  }

  private rankedPeers(): PeerStatus[] {
    const isVoter = ({ id }: PeerStatus) => this.members.some((member) => member.id === id && member.voter);
    const succession = this.peers
      .filter(isVoter)
      .sort((a, b) => b.eligibility - a.eligibility || b.matchIndex - a.matchIndex);
    return this.peers.map((peer) => {
      const place = succession.indexOf(peer);
      return { ...peer, rank: place < 0 ? undefined : place };
    });
  }

  get isReadyLeader(): boolean {
    return this.role === 'leader' && this.ready;
  }

  /** Wins an election; leadership is complete at once unless said otherwise. */
  lead(ready = true): void {
    Object.assign(this, { role: 'leader', leaderId: 'a', ready: false });
    this.tellRole();
    if (ready) this.complete();
  }

  complete(): void {
    this.ready = true;
    this.emit('leaderReady');
  }

  follow(leaderId: string | null): void {
    Object.assign(this, { role: 'follower', leaderId, ready: false });
    this.tellRole();
  }

  private tellRole(): void {
    const { role, leaderId: leader } = this;
    this.emit('role', { type: 'role', role, term: 1, leader, reason: 'the test says so' });
  }

  /** An entry with this block is committed and applied. */
  commit(ref: BlockRef, replacesHead?: string): Verdict {
    this.logIndex += 1;
    const verdict = this.chain.apply(committed(ref, this.logIndex), replacesHead);
    this.emit('applied', this.logIndex);
    return verdict;
  }

  /** The committed head is taken back to this block. */
  reset(to: BlockId): void {
    const { head } = this.chain;
    if (!head) throw new Error('nothing is committed');
    this.logIndex += 1;
    this.chain.applyReset({ from: head, to, evidence: 'clients-left', who: 'the test' }, this.logIndex);
    this.emit('applied', this.logIndex);
  }

  peer(id: string): PeerStatus {
    return this.peers.find((peer) => peer.id === id) as PeerStatus;
  }

  setEligibility(value: number): void {
    this.eligibility = value;
  }

  async readBarrier(): Promise<Outcome<object>> {
    if (this.role !== 'leader') return { outcome: 'rejected', reason: 'not-leader' };
    return { outcome: 'done', index: this.logIndex, term: 1 };
  }

  async propose(data: Uint8Array): Promise<Outcome<{ result: Verdict }>> {
    if (this.role !== 'leader') return { outcome: 'rejected', reason: 'not-leader' };
    this.logIndex += 1;
    const command = readChainCommand(data, this.logIndex);
    this.proposals.push(headOf(command).hash);
    const result = applyTo(this.chain, command);
    this.emit('applied', this.logIndex);
    return { outcome: 'done', index: this.logIndex, term: 1, result };
  }

  async prepareTransfer(to: string): Promise<Outcome<object>> {
    this.prepared.push(to);
    return this.prepareOutcomes.shift() ?? { outcome: 'done', index: this.logIndex, term: 1 };
  }

  async transferLeadership(to?: string): Promise<Outcome<object>> {
    this.transfers.push(to);
    if (this.role !== 'leader') return { outcome: 'rejected', reason: 'not-leader' };
    const outcome = this.transferOutcomes.shift() ?? { outcome: 'done', index: this.logIndex, term: 1 };
    if (outcome.outcome === 'done') this.follow(to ?? 'b');
    return outcome;
  }
}
