import { TIMING_PROFILES } from '../../../raft/index.js';
import type { PauseRequest } from '../../../rpc/server/pause-request.js';
import type { ClusterStatus, ConductorStatus } from '../../../rpc/server/conductor-status.js';
import {
  startFakeRpcServer,
  type FakeAnswer,
  type FakeRequest,
  type FakeRpcServer,
} from '../../../rpc/clients/testing/fake-rpc-server.js';

/** Null: it runs, but is not a member. */
type Suffrage = 0 | 1 | null;

const HASH = `0x${'ab'.repeat(32)}`;

/** The status of a healthy follower at block 100 in term 3. */
export function memberStatus(id: string, changes: Partial<ConductorStatus> = {}): ConductorStatus {
  const block = { number: 100, hash: HASH, parentHash: HASH, timestamp: 1_700_000_000 };
  return {
    id,
    version: 'v1.2.3',
    uptimeMs: 60_000,
    rpcPort: 1,
    clusterId: 'c1',
    recordFormat: 1,
    witness: false,
    role: 'follower',
    ready: false,
    term: 3,
    leader: { id: 'a', addr: '127.0.0.1:50050' },
    transferring: false,
    leaseRemainingMs: null,
    commitIndex: 200,
    appliedIndex: 200,
    lastIndex: 200,
    snapshotIndex: 0,
    logBytes: 1000,
    membership: { version: 7, servers: [] },
    peers: [],
    doubted: [],
    timing: { ...TIMING_PROFILES.lan, profile: 'lan' },
    head: block,
    node: {
      reachable: true,
      reason: '',
      head: block,
      lagBlocks: 0,
      sequencerActive: false,
      branch: 'on',
      leftAt: null,
      startHeldBy: '',
      overriddenSinceMs: null,
    },
    health: { status: 'healthy', summary: 'healthy', reasons: [], checkedAtMs: 1_700_000_000_000 },
    active: true,
    paused: false,
    maintenance: { cluster: null, members: {}, halt: null },
    halt: null,
    stopped: false,
    leaderOverridden: false,
    ...changes,
  };
}

/** What the status of a sequencing leader has in addition. */
export function leading(id: string, changes: Partial<ConductorStatus> = {}): ConductorStatus {
  const status = memberStatus(id, { role: 'leader', ready: true, ...changes });
  return { ...status, node: { ...status.node, sequencerActive: true } };
}

/** The status of a witness that follows. */
export function witnessStatus(id: string, changes: Partial<ConductorStatus> = {}): ConductorStatus {
  const { node } = memberStatus(id);
  return memberStatus(id, {
    witness: true,
    node: {
      ...node,
      ...{ reachable: false, reason: 'a witness has no node' },
      ...{ head: null, lagBlocks: null, sequencerActive: null, branch: 'unknown' },
    },
    health: { status: 'healthy', summary: 'a witness has no node to check', reasons: [], checkedAtMs: null },
    ...changes,
  });
}

interface FakeMember {
  suffrage: Suffrage;
  status: ConductorStatus;
  server: FakeRpcServer;
  /** Does not answer the others; its own server continues, unless it is closed. */
  silent: boolean;
}

/**
 * Conductors that give the answers of the test: `a` leads, the others follow. Calls that change something are recorded
 * in `calls` and answered by `onCall`, null by default.
 */
export class FakeCluster {
  readonly members = new Map<string, FakeMember>();
  readonly calls: string[] = [];
  /** `from to` for each direction in which requests get lost; the other direction works. */
  readonly cut = new Set<string>();
  onCall: (id: string, method: string, params: unknown[]) => FakeAnswer = () => ({ result: null });
  /** Views requested so far. */
  views = 0;
  onView: (views: number) => void = () => {};

  static async start(ids: readonly string[]): Promise<FakeCluster> {
    const cluster = new FakeCluster();
    for (const id of ids) await cluster.add(id, 0);
    if (ids[0] !== undefined) cluster.lead(ids[0]);
    return cluster;
  }

  async add(id: string, suffrage: Suffrage): Promise<void> {
    const server = await startFakeRpcServer((request) => this.answer(id, request));
    const status = memberStatus(id, { rpcPort: Number(new URL(server.url).port), term: this.term });
    this.members.set(id, { suffrage, status, server, silent: false });
  }

  url(id: string): string {
    return this.get(id).server.url;
  }

  get(id: string): FakeMember {
    const member = this.members.get(id);
    if (!member) throw new Error(`no member ${id}`);
    return member;
  }

  change(id: string, changes: Partial<ConductorStatus>): void {
    const member = this.get(id);
    member.status = { ...member.status, ...changes };
  }

  private get term(): number {
    return Math.max(3, ...[...this.members.values()].map(({ status }) => status.term));
  }

  /** From now on, this member leads and sequences, in a new term. */
  lead(id: string): void {
    const term = this.term + 1;
    for (const [other, { status }] of this.members) {
      const isLeader = other === id;
      this.change(other, {
        role: isLeader ? 'leader' : 'follower',
        ready: isLeader,
        term,
        leader: { id, addr: `${id}:1` },
        node: { ...status.node, sequencerActive: isLeader },
      });
    }
  }

  /** From now on, pauses and resumes take effect, at members and in the log. */
  obeyPauses(): void {
    this.onCall = (_, method, [request]) => {
      const { member, owner, reason } = request as PauseRequest;
      const paused = method === 'conductor_beginPause';
      const who = { ...(owner !== undefined && { owner }), ...(reason !== undefined && { reason }) };
      const pause = paused
        ? { id: 'p', logIndex: 201, sinceMs: 1_700_000_000_000, untilMs: null, who }
        : null;
      for (const id of this.members.keys()) {
        if (member === null) this.maintain(id, paused, 'cluster', { cluster: pause });
        else if (member === id) this.maintain(id, paused, 'conductor_pause', {});
        else this.maintain(id, undefined, undefined, { members: pause ? { [member]: pause } : {} });
      }
      return { result: null };
    };
  }

  private maintain(
    id: string,
    paused: boolean | undefined,
    pausedBy: ConductorStatus['pausedBy'],
    change: Partial<ConductorStatus['maintenance']>,
  ): void {
    const { status } = this.get(id);
    const maintenance = { ...status.maintenance, ...change };
    this.change(id, { maintenance, ...(paused !== undefined && { paused, pausedBy }) });
  }

  /** Its process has ended. */
  async kill(id: string): Promise<void> {
    this.get(id).silent = true;
    await this.get(id).server.close();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.members.values()].map(({ server }) => server.close()));
  }

  private answer(id: string, { method, params }: FakeRequest): FakeAnswer {
    if (method === 'conductor_clusterStatus') {
      this.views += 1;
      this.onView(this.views);
      return { result: this.clusterStatus(id) };
    }
    if (method === 'conductor_status') return { result: this.statusOf(id) };
    this.calls.push(`${id} ${method} ${JSON.stringify(params)}`);
    return this.onCall(id, method, params);
  }

  private clusterStatus(answeredBy: string): ClusterStatus {
    const members = this.servers().map((server) =>
      this.get(server.id).silent || this.cut.has(`${answeredBy} ${server.id}`)
        ? { ...server, status: null, error: 'connect ECONNREFUSED' }
        : { ...server, status: this.statusOf(server.id), error: '' },
    );
    return { answeredBy, members };
  }

  private statusOf(id: string): ConductorStatus {
    return { ...this.get(id).status, membership: { version: 7, servers: this.servers() } };
  }

  private servers(): ConductorStatus['membership']['servers'] {
    return [...this.members].flatMap(([id, { suffrage }]) =>
      suffrage === null ? [] : [{ id, addr: `127.0.0.1:${50_000 + id.charCodeAt(0)}`, suffrage }],
    );
  }
}
