import { expect } from '@jest/globals';
import { applyChange, withoutJoint } from '../../../raft/core/configuration-change.js';
import type { ClusterTiming, CoreStatus, Member, MembershipChange, Outcome } from '../../../raft/index.js';
import { WIRE_VERSIONS } from '../../../raft/transport/wire-versions.js';
import { virtualSleep } from '../../testing/virtual-sleep.js';
import {
  MembershipService,
  type ChangeOptions,
  type MembershipRaft,
  type MembershipStatus,
  type PeerIdentity,
} from '../membership-service.js';

export const CLUSTER = 'cluster-1';
export const DIAL_MS = 5000;
export const CATCH_UP_MS = 2000;
export const LAST_INDEX = 100;

const WIRE = { wireVersion: WIRE_VERSIONS.newest, oldestWireVersion: WIRE_VERSIONS.oldest };
/** What nodes tell about themselves, besides the wire versions of this release. */
export type Said = Omit<PeerIdentity, keyof typeof WIRE> & Partial<typeof WIRE>;

/** A leader that commits every change at once, with the rules of the real one. */
class FakeMembershipRaft implements MembershipRaft {
  role: CoreStatus['role'] = 'leader';
  ready = true;
  leader: string | null = 'a';
  members: Member[] = [{ id: 'a', address: 'a:1', incarnation: 'disk-a', voter: true }];
  index = 1;
  readonly changes: string[] = [];
  /** Queued answers that replace the real ones. */
  readonly outcomes: Outcome<object>[] = [];
  /** Replication state by member. */
  readonly progress = new Map<string, { state: 'probe' | 'replicate' | 'snapshot'; matchIndex: number }>();

  status(): MembershipStatus {
    const peers = [...this.progress].map(([id, progress]) => ({ id, ...progress }));
    const configuration = { index: this.index, configuration: { members: this.members } };
    const { role, ready, leader } = this;
    return { role, ready, leader, lastIndex: LAST_INDEX, configuration, peers };
  }

  async changeMembership(
    change: MembershipChange,
    expectedIndex?: number,
    { force = false }: ChangeOptions = {},
  ): Promise<Outcome<object>> {
    this.changes.push(
      `${change.type} ${change.id}${change.type === 'replace' ? ` by ${change.by.id}` : ''}${expectedIndex === undefined ? '' : ` at ${expectedIndex}`}${force ? ' by force' : ''}`,
    );
    const prepared = this.outcomes.shift();
    if (prepared) return prepared;
    if (this.role !== 'leader') return { outcome: 'rejected', reason: 'not-leader' };
    if (expectedIndex !== undefined && expectedIndex !== this.index) {
      const detail = `configuration changed since ${expectedIndex} (latest is ${this.index})`;
      return { outcome: 'rejected', reason: 'configuration-changed', detail };
    }
    const result = applyChange({ members: this.members }, change);
    if (!result.ok) return { outcome: 'rejected', reason: result.reason, detail: result.detail };
    if (result.changed) {
      this.members = [...withoutJoint(result.configuration).members];
      this.index += 10;
    }
    return { outcome: 'done', index: this.index, term: 1 };
  }

  async setTiming(timing: ClusterTiming, expectedIndex?: number): Promise<Outcome<object>> {
    this.changes.push(`timing ${timing.electionTimeoutMs} at ${expectedIndex}`);
    return this.outcomes.shift() ?? { outcome: 'done', index: this.index, term: 1 };
  }

  member(id: string): Member | undefined {
    return this.members.find((member) => member.id === id);
  }

  join(id: string, voter: boolean): void {
    this.members.push({ id, address: `${id}:1`, incarnation: `disk-${id}`, voter });
    this.inStep(id);
  }

  inStep(id: string): void {
    this.progress.set(id, { state: 'replicate', matchIndex: LAST_INDEX });
  }
}

/** The membership of a leader `a`, and the nodes a, b and c that answer at their addresses, in virtual time. */
export class MembershipUnderTest {
  readonly raft = new FakeMembershipRaft();
  /** By address. */
  readonly identities = new Map<string, Said | Error>();
  readonly dialled: string[] = [];
  /** Calls that were passed to another leader. */
  readonly handedOn: string[] = [];
  /** Addresses at which nobody answers. */
  readonly hangs = new Set<string>();
  readonly service = new MembershipService({
    raft: this.raft,
    clusterId: () => CLUSTER,
    hello: (address, signal) => this.hello(address, signal),
    dialTimeoutMs: DIAL_MS,
    catchUpTimeoutMs: CATCH_UP_MS,
    atLeader: async (leader, { method, params, by }) => {
      this.handedOn.push(`${method} ${params.join(' ')} at ${leader}${by ? ` for ${by.token}` : ''}`);
    },
    sleep: virtualSleep,
  });

  constructor() {
    for (const id of ['a', 'b', 'c']) {
      this.identities.set(`${id}:1`, { nodeId: id, clusterId: null, incarnation: `disk-${id}` });
    }
  }

  private async hello(address: string, signal: AbortSignal): Promise<PeerIdentity> {
    this.dialled.push(address);
    expect(signal).toBeInstanceOf(AbortSignal);
    if (this.hangs.has(address)) return new Promise(() => undefined);
    const identity = this.identities.get(address) ?? new Error('connect ECONNREFUSED');
    if (identity instanceof Error) throw identity;
    return { ...WIRE, ...identity };
  }
}
