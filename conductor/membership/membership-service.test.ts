import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { applyChange, withoutJoint } from '../../raft/core/configuration.js';
import {
  TIMING_PROFILES,
  type ClusterTiming,
  type CoreStatus,
  type Member,
  type MembershipChange,
  type Outcome,
} from '../../raft/index.js';
import { useVirtualTime, virtualSleep } from '../testing/virtual-time.js';
import { versionsText, WIRE_VERSIONS } from '../../raft/transport/wire-versions.js';
import {
  MembershipService,
  type ChangeOptions,
  type MembershipRaft,
  type MembershipStatus,
  type PeerIdentity,
} from './membership-service.js';

useVirtualTime();

const CLUSTER = 'cluster-1';
const DIAL_MS = 5000;
const CATCH_UP_MS = 2000;
const LAST_INDEX = 100;

/** A leader that commits every change at once, with the rules of the real one. */
class FakeRaft implements MembershipRaft {
  role: CoreStatus['role'] = 'leader';
  members: Member[] = [{ id: 'a', address: 'a:1', incarnation: 'disk-a', voter: true }];
  index = 1;
  readonly changes: string[] = [];
  /** Answers to come instead of the real ones. */
  readonly outcomes: Outcome<object>[] = [];
  /** Replication state by member. */
  readonly progress = new Map<string, { state: 'probe' | 'replicate' | 'snapshot'; matchIndex: number }>();

  status(): MembershipStatus {
    const peers = [...this.progress].map(([id, progress]) => ({ id, ...progress }));
    const configuration = { index: this.index, configuration: { members: this.members } };
    return { role: this.role, lastIndex: LAST_INDEX, configuration, peers };
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

let raft: FakeRaft;
const WIRE = { wireVersion: WIRE_VERSIONS.newest, oldestWireVersion: WIRE_VERSIONS.oldest };
/** What nodes say of themselves, besides the wire versions of this release. */
type Said = Omit<PeerIdentity, keyof typeof WIRE> & Partial<typeof WIRE>;
let identities: Map<string, Said | Error>;
let dialled: string[];
let hangs: Set<string>;
let service: MembershipService;

beforeEach(() => {
  raft = new FakeRaft();
  dialled = [];
  hangs = new Set();
  identities = new Map();
  for (const id of ['a', 'b', 'c']) {
    identities.set(`${id}:1`, { nodeId: id, clusterId: null, incarnation: `disk-${id}` });
  }
  service = new MembershipService({
    raft,
    clusterId: () => CLUSTER,
    hello: async (address, signal) => {
      dialled.push(address);
      expect(signal).toBeInstanceOf(AbortSignal);
      if (hangs.has(address)) return new Promise(() => undefined);
      const identity = identities.get(address) ?? new Error('connect ECONNREFUSED');
      if (identity instanceof Error) throw identity;
      return { ...WIRE, ...identity };
    },
    dialTimeoutMs: DIAL_MS,
    catchUpTimeoutMs: CATCH_UP_MS,
    sleep: virtualSleep,
  });
});
afterEach(() => jest.clearAllTimers());

describe('adding a voter', () => {
  it('takes it in without a vote, waits until it has the log, and then gives it the vote', async () => {
    raft.progress.set('b', { state: 'probe', matchIndex: 0 });
    const added = service.add('b', 'b:1', 0, true);
    await jest.advanceTimersByTimeAsync(500);
    expect(raft.changes).toEqual(['addNonvoter b']);
    expect(raft.member('b')).toEqual({ id: 'b', address: 'b:1', incarnation: 'disk-b', voter: false });

    raft.progress.set('b', { state: 'snapshot', matchIndex: LAST_INDEX });
    await jest.advanceTimersByTimeAsync(100);
    raft.progress.set('b', { state: 'replicate', matchIndex: LAST_INDEX - 3 });
    await jest.advanceTimersByTimeAsync(100);
    expect(raft.changes).toHaveLength(1);

    raft.progress.set('b', { state: 'replicate', matchIndex: LAST_INDEX - 2 });
    await jest.advanceTimersByTimeAsync(10);
    await added;
    expect(raft.changes).toEqual(['addNonvoter b', 'addVoter b at 11']);
    expect(raft.member('b')?.voter).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves it without a vote when it does not get the log in time, and says what to do', async () => {
    raft.progress.set('b', { state: 'probe', matchIndex: 0 });
    const added = service.add('b', 'b:1', 0, true);
    added.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(CATCH_UP_MS + 50);
    await expect(added).rejects.toMatchObject({ reason: 'catch-up-timeout' });
    await expect(added).rejects.toThrow('stays a non-voter: repeat the call');
    expect(raft.member('b')?.voter).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives no vote when leadership is lost while the node gets the log', async () => {
    raft.progress.set('b', { state: 'probe', matchIndex: 0 });
    const added = service.add('b', 'b:1', 0, true);
    added.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(100);
    raft.role = 'follower';
    await jest.advanceTimersByTimeAsync(10);
    await expect(added).rejects.toThrow('node is not the leader');
    expect(raft.changes).toEqual(['addNonvoter b']);
  });

  it('gives no vote when somebody removed the node meanwhile', async () => {
    raft.progress.set('b', { state: 'probe', matchIndex: 0 });
    const added = service.add('b', 'b:1', 0, true);
    added.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(100);
    await service.remove('b', 0);
    raft.inStep('b');
    await jest.advanceTimersByTimeAsync(10);
    await expect(added).rejects.toThrow('configuration changed since 11 (latest is 21)');
    expect(raft.member('b')).toBeUndefined();
  });

  it('promotes a member without a vote', async () => {
    raft.join('b', false);
    await service.add('b', 'b:1', 0, true);
    expect(raft.member('b')?.voter).toBe(true);
  });

  it('again changes nothing and is success', async () => {
    raft.join('b', true);
    const before = raft.index;
    await service.add('b', 'b:1', 0, true);
    expect(raft.index).toBe(before);
  });

  it('updates the address of a voter without taking its vote', async () => {
    raft.join('b', true);
    identities.set('b:2', { nodeId: 'b', clusterId: CLUSTER, incarnation: 'disk-b' });
    await service.add('b', 'b:2', 0, true);
    expect(raft.member('b')).toMatchObject({ address: 'b:2', voter: true });
    expect(raft.changes).toEqual(['addVoter b']);
  });
});

describe('adding a non-voter', () => {
  it('does not wait for it', async () => {
    await service.add('b', 'b:1', 0, false);
    expect(raft.changes).toEqual(['addNonvoter b']);
    expect(raft.member('b')?.voter).toBe(false);
  });

  it('again changes nothing and is success', async () => {
    await service.add('b', 'b:1', 0, false);
    const before = raft.index;
    await service.add('b', 'b:1', 0, false);
    expect(raft.index).toBe(before);
  });

  it('that is a voter updates its address and leaves it the vote, as op-conductor', async () => {
    raft.join('b', true);
    identities.set('b:2', { nodeId: 'b', clusterId: CLUSTER, incarnation: 'disk-b' });
    await service.add('b', 'b:2', 0, false);
    expect(raft.member('b')).toMatchObject({ address: 'b:2', voter: true });
  });
});

describe('a member whose disk is another one', () => {
  const wiped = { nodeId: 'b', clusterId: null, incarnation: 'disk-b2' };
  beforeEach(() => {
    raft.join('b', true);
    identities.set('b:1', wiped);
  });

  it('leaves as the old and comes as a new member, never both with a vote', async () => {
    await service.add('b', 'b:1', 0, true);
    expect(raft.changes).toEqual(['remove b at 1', 'addNonvoter b at 11', 'addVoter b at 21']);
    expect(raft.member('b')).toMatchObject({ incarnation: 'disk-b2', voter: true });
  });

  it('comes back without a vote when that is asked for', async () => {
    await service.add('b', 'b:1', 0, false);
    expect(raft.changes).toEqual(['remove b at 1', 'addNonvoter b at 11']);
    expect(raft.member('b')).toMatchObject({ incarnation: 'disk-b2', voter: false });
  });

  it('is replaced as a non-voter, too', async () => {
    raft.members = raft.members.map((member) => (member.id === 'b' ? { ...member, voter: false } : member));
    await service.add('b', 'b:1', 0, true);
    expect(raft.member('b')).toMatchObject({ incarnation: 'disk-b2', voter: true });
    expect(raft.changes.map((change) => change.split(' ')[0])).toEqual(['remove', 'addNonvoter', 'addVoter']);
  });

  it('stays as it is when the version is an old one', async () => {
    await expect(service.add('b', 'b:1', 99, true)).rejects.toThrow(
      'configuration changed since 99 (latest is 1)',
    );
    expect(raft.member('b')).toMatchObject({ incarnation: 'disk-b', voter: true });
  });

  it('is not removed when nobody would be left to vote', async () => {
    raft.members = raft.members.filter((member) => member.id === 'b');
    await expect(service.add('b', 'b:1', 0, true)).rejects.toThrow('b is the last voter');
  });
});

describe('whom it does not take in', () => {
  it.each<[string, Said | Error, string, string]>([
    [
      'a node that does not answer',
      new Error('connect ECONNREFUSED'),
      'cannot reach b at b:1: connect ECONNREFUSED',
      'unreachable',
    ],
    [
      'another node at that address',
      { nodeId: 'c', clusterId: null, incarnation: 'disk-c' },
      'the node at b:1 is c, not b',
      'wrong-node',
    ],
    [
      'a node of another cluster',
      { nodeId: 'b', clusterId: 'cluster-2', incarnation: 'disk-b' },
      'b at b:1 belongs to another cluster (cluster-2); wipe its storage directory first',
      'wrong-cluster',
    ],
    [
      'a node of a release that is too new',
      { nodeId: 'b', clusterId: null, incarnation: 'disk-b', wireVersion: 99, oldestWireVersion: 98 },
      `b:1: b speaks wire version 98 to 99, this node ${versionsText(WIRE_VERSIONS)}: upgrade the older`,
      'wrong-version',
    ],
  ])('%s', async (_, identity, text, reason) => {
    identities.set('b:1', identity);
    for (const voter of [true, false]) {
      const result = service.add('b', 'b:1', 0, voter);
      await expect(result).rejects.toMatchObject({ name: 'RpcError', code: -32000, reason });
      await expect(result).rejects.toThrow(text);
    }
    expect(raft.changes).toEqual([]);
  });

  it('a node that hangs', async () => {
    hangs.add('b:1');
    const result = service.add('b', 'b:1', 0, true);
    result.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(DIAL_MS + 1);
    await expect(result).rejects.toThrow(`cannot reach b at b:1: no answer within ${DIAL_MS} ms`);
    expect(raft.changes).toEqual([]);
  });

  it('a node of this cluster that is back is welcome', async () => {
    identities.set('b:1', { nodeId: 'b', clusterId: CLUSTER, incarnation: 'disk-b' });
    raft.inStep('b');
    await service.add('b', 'b:1', 0, true);
    expect(raft.member('b')?.voter).toBe(true);
  });

  it('a second node of the same address', async () => {
    raft.join('b', true);
    identities.set('b:1', { nodeId: 'c', clusterId: null, incarnation: 'disk-c' });
    await expect(service.add('c', 'b:1', 0, true)).rejects.toThrow('b:1 is the address of b');
  });
});

describe('on a node that does not lead', () => {
  beforeEach(() => {
    raft.role = 'follower';
    raft.join('b', true);
  });

  it('every change is refused with the text of op-conductor', async () => {
    const text = 'node is not the leader';
    await expect(service.add('c', 'c:1', 0, true)).rejects.toMatchObject({
      message: text,
      reason: 'not-leader',
    });
    await expect(service.add('c', 'c:1', 0, false)).rejects.toMatchObject({ message: text });
    await expect(service.remove('b', 0)).rejects.toMatchObject({ message: text, reason: 'not-leader' });
    await expect(service.demote('b', 0)).rejects.toMatchObject({ message: text });
    expect(raft.member('b')?.voter).toBe(true);
  });

  it('the address is tried before leadership, as op-conductor does', async () => {
    await expect(service.add('c', 'nowhere:1', 0, true)).rejects.toMatchObject({ reason: 'unreachable' });
    expect(dialled).toEqual(['nowhere:1']);
  });
});

describe('version', () => {
  beforeEach(() => raft.join('b', true));
  const calls: [string, (version: number) => Promise<void>][] = [
    ['add a voter', (version) => service.add('c', 'c:1', version, true)],
    ['add a non-voter', (version) => service.add('c', 'c:1', version, false)],
    ['add a member again', (version) => service.add('b', 'b:1', version, true)],
    ['demote', (version) => service.demote('b', version)],
    ['remove', (version) => service.remove('b', version)],
  ];

  it.each(calls)('%s: an old one is refused with both versions, and nothing changes', async (_, call) => {
    const before = JSON.stringify(raft.members);
    await expect(call(7)).rejects.toMatchObject({
      message: 'configuration changed since 7 (latest is 1)',
      reason: 'configuration-changed',
      code: -32000,
    });
    expect(JSON.stringify(raft.members)).toBe(before);
  });

  it.each(calls)('%s: the current one passes', async (_, call) => {
    raft.inStep('c');
    await call(1);
    expect(raft.changes[0]).toContain(' at 1');
  });

  it.each(calls)('%s: 0 is not compared', async (_, call) => {
    raft.inStep('c');
    raft.index = 5;
    await call(0);
    expect(raft.changes[0]).not.toContain(' at ');
  });
});

describe('outcomes', () => {
  it('an unknown one has the text of op-conductor and its cause', async () => {
    raft.outcomes.push({ outcome: 'unknown', reason: 'this node stopped' });
    await expect(service.remove('b', 0)).rejects.toMatchObject({
      message: 'leadership lost while committing log',
      reason: 'unknown-outcome',
      cause: 'this node stopped',
    });
  });

  it('a refusal without detail shows its reason', async () => {
    raft.outcomes.push({ outcome: 'rejected', reason: 'change-in-progress' });
    await expect(service.demote('b', 0)).rejects.toMatchObject({
      message: 'change-in-progress',
      reason: 'change-in-progress',
    });
  });

  it('demotes and removes', async () => {
    raft.join('b', true);
    await service.demote('b', 0);
    expect(raft.member('b')?.voter).toBe(false);
    await service.remove('b', 0);
    expect(raft.member('b')).toBeUndefined();
  });
});

describe('replacing a voter', () => {
  const voters = (): string[] => raft.members.filter(({ voter }) => voter).map(({ id }) => id);
  beforeEach(() => raft.join('b', true));

  it('lets the newcomer get the log without a vote, then swaps both at once', async () => {
    raft.inStep('c');
    await service.replace('b', { id: 'c', address: 'c:1' }, 0);
    expect(raft.changes).toEqual(['addNonvoter c', 'replace b by c at 11']);
    expect(voters()).toEqual(['a', 'c']);
    expect(raft.member('b')).toBeUndefined();
  });

  it('takes a non-voter that has the log as it is, and passes on what the caller saw and wants', async () => {
    raft.join('c', false);
    await service.replace('b', { id: 'c', address: 'c:1' }, 1, { force: true });
    expect(raft.changes).toEqual(['replace b by c at 1 by force']);
  });

  it('leaves the old voter in its place while the newcomer is behind', async () => {
    raft.progress.set('c', { state: 'snapshot', matchIndex: 0 });
    const replaced = service.replace('b', { id: 'c', address: 'c:1' }, 0);
    replaced.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(CATCH_UP_MS + 50);
    await expect(replaced).rejects.toMatchObject({ reason: 'catch-up-timeout' });
    expect(voters()).toEqual(['a', 'b']);
  });

  it('is done when it was done before', async () => {
    raft.inStep('c');
    await service.replace('b', { id: 'c', address: 'c:1' }, 0);
    const { length } = raft.changes;
    await service.replace('b', { id: 'c', address: 'c:1' }, 0);
    expect(raft.changes).toHaveLength(length);
  });

  it('refuses a node that would follow itself, and one that has no vote to give', async () => {
    await expect(service.replace('b', { id: 'b', address: 'b:1' }, 0)).rejects.toMatchObject({
      reason: 'wrong-node',
    });
    await expect(service.replace('x', { id: 'c', address: 'c:1' }, 0)).rejects.toMatchObject({
      reason: 'not-a-voter',
    });
    expect(raft.changes).toEqual([]);
  });
});

describe('force', () => {
  it('is passed on to every change', async () => {
    raft.join('b', true);
    raft.inStep('c');
    await service.add('c', 'c:1', 0, true, { force: true });
    await service.demote('c', 0, { force: true });
    await service.remove('b', 0, { force: true });
    expect(raft.changes).toEqual([
      'addNonvoter c by force',
      'addVoter c at 11 by force',
      'demote c by force',
      'remove b by force',
    ]);
  });

  it('is what a refusal asks for', async () => {
    raft.join('b', true);
    raft.outcomes.push({ outcome: 'rejected', reason: 'would-lose-quorum', detail: 'no majority' });
    await expect(service.remove('b', 0)).rejects.toMatchObject({
      reason: 'would-lose-quorum',
      message: 'no majority',
    });
  });
});

describe('the timing of the cluster', () => {
  it('is that of a profile, or free values', async () => {
    await service.setTiming('multi-region', 7);
    await service.setTiming({ ...TIMING_PROFILES.lan, electionTimeoutMs: 1234 }, 0);
    expect(raft.changes).toEqual(['timing 400 at 7', 'timing 1234 at undefined']);
  });

  it('is refused with the reason', async () => {
    await expect(service.setTiming('lan-slow', 0)).rejects.toThrow(
      'there is no timing profile "lan-slow", only lan-fast, lan, multi-region',
    );
    raft.outcomes.push({ outcome: 'rejected', reason: 'invalid-timing', detail: 'the lease is too long' });
    await expect(service.setTiming('lan', 0)).rejects.toMatchObject({
      message: 'the lease is too long',
      reason: 'invalid-timing',
    });
    raft.role = 'follower';
    await expect(service.setTiming('lan', 0)).rejects.toThrow('node is not the leader');
  });
});
