import { z } from 'zod';
import { clusterTimingSchema } from './cluster-timing.js';
import { clusterVerdictSchema } from './cluster-verdict.js';
import { maintenanceSchema } from './maintenance-status.js';

const count = z.int().nonnegative();
const ms = z.number().nonnegative();
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);

/** A block: number, hashes, and its timestamp in seconds since the epoch. */
const block = z.object({ number: count, hash, parentHash: hash, timestamp: count });

/** A block by its height and hash. */
const blockId = z.object({ number: count, hash });

/** What the leader knows about another member. */
const peer = z.object({
  id: z.string(),
  /** Consensus address, `host:port`. */
  addr: z.string(),
  /** As op-conductor numbers it: 0 votes, 1 does not. */
  suffrage: z.union([z.literal(0), z.literal(1)]),
  /**
   * `replicate` in normal operation, `probe` after a lost request, `snapshot` while it is sent one, `reverted` when its
   * disk lost what it had confirmed: it is refused until it is added again.
   */
  state: z.enum(['probe', 'replicate', 'snapshot', 'reverted']),
  /** Last log index that is durable there. */
  matchIndex: count,
  /** Log entries that it lacks. */
  lagEntries: count,
  /** Since the leader sent the last heartbeat that it acknowledged. */
  lastContactMs: z.number().nonnegative(),
  /** How fit it is to sequence, by its own account: `stale` is only an old head, `unfit` may not lead at all. */
  fitness: z.enum(['unfit', 'impaired', 'stale', 'partial', 'fit']),
});

/**
 * The answer of `conductor_status`: everything that one node knows, read from memory. It comes without a leader and
 * without a quorum, and never waits for op-node or another member. Later versions may add members, so readers ignore
 * unknown ones.
 */
export const conductorStatusSchema = z.object({
  /** `raft.server.id` of the answering node. */
  id: z.string(),
  /** Version of the answering process, with its `v`. */
  version: z.string(),
  /** Since this process started. */
  uptimeMs: z.number().nonnegative(),
  /** Port of its JSON-RPC; null before it is bound. */
  rpcPort: z.int().nullable(),
  /** Protocol of that port; absent from older versions, whose ports speak plain HTTP. */
  rpcScheme: z.enum(['http', 'https']).optional(),
  /** Cluster that the storage directory belongs to; null while it belongs to none. */
  clusterId: z.string().nullable(),
  /** Random name of the storage directory, whose vote counts; absent from older versions. */
  disk: z.string().optional(),
  /**
   * Newest format of records in the log that the answering process reads (docs/FORMATS.md); 0 for older versions, which
   * would end at the first record.
   */
  recordFormat: count.default(0),

  /**
   * It votes and keeps the log, but has no node (`--witness`): `node` says nothing, and it leads only until it has
   * handed over. Absent from older versions.
   */
  witness: z.boolean().default(false),
  role: z.enum(['leader', 'candidate', 'follower']),
  /** Leaders only: an entry of its own term is committed, so it knows the whole log. */
  ready: z.boolean(),
  term: count,
  /** The leader that this node follows or is; null while it knows none. An override does not change it. */
  leader: z.object({ id: z.string(), addr: z.string() }).nullable(),
  /** A transfer of leadership is under way. */
  transferring: z.boolean(),
  /** Leaders only: time until it steps down unless a majority answers; else null. */
  leaseRemainingMs: z.number().nonnegative().nullable(),
  commitIndex: count,
  appliedIndex: count,
  lastIndex: count,
  /** The log begins after this index; 0 without a snapshot. */
  snapshotIndex: count,
  logBytes: count,

  /** The configuration in force here; `version` is what the membership calls take as `version`. */
  membership: z.object({
    version: count,
    servers: z.array(
      z.object({
        id: z.string(),
        addr: z.string(),
        suffrage: z.union([z.literal(0), z.literal(1)]),
        /** The disk that was added under this id; absent from older versions. */
        disk: z.string().optional(),
      }),
    ),
  }),
  /** Leaders only, empty elsewhere. */
  peers: z.array(peer),
  /**
   * Members for whom a process spoke lately that does not count: `used-twice` where another one answers at the member's
   * address, so that there are two on copies of one disk, `unproven` where nobody does. Absent from older versions.
   */
  doubted: z.array(z.object({ id: z.string(), doubt: z.enum(['used-twice', 'unproven']) })).default([]),
  /** The times in force here, and the profile that they are; null for free values. */
  timing: clusterTimingSchema.extend({ profile: z.string().nullable() }),

  /**
   * 99th percentiles of this process's recent measurements, in milliseconds; null until there are enough. Absent from
   * older versions.
   */
  measured: z
    .object({
      /** Leaders only: from a heartbeat to its answer. */
      roundTripMs: ms.nullable(),
      /** A synced write of the log. */
      syncMs: ms.nullable(),
      /** How late timers fire. */
      latenessMs: ms.nullable(),
    })
    .optional(),
  /** Its view of its machine. Absent from older versions. */
  machine: z
    .object({
      /** Wall clock in milliseconds when it answered: ages of heads are measured with it. */
      clockMs: ms,
      /** Of the file system of the storage directory, measured now and then; null while unknown. */
      storage: z.object({ freeBytes: count, sizeBytes: count }).nullable(),
    })
    .optional(),

  /**
   * Newest committed block applied here; null while there is none. Parent and timestamp are null after a reset to a
   * block that this node does not retain.
   */
  head: block.extend({ parentHash: hash.nullable(), timestamp: count.nullable() }).nullable(),
  /** The local op-node and execution client. */
  node: z.object({
    /** False after two polls in a row without an answer. */
    reachable: z.boolean(),
    /** Why not; empty when reachable. */
    reason: z.string(),
    /** Head of the execution client; null before its first answer. */
    head: block.nullable(),
    /** Blocks between that and `head`, negative if the node is ahead; null while one of them is unknown. */
    lagBlocks: z.int().nullable(),
    /** Whether op-node sequences; null while it does not say. */
    sequencerActive: z.boolean().nullable(),
    /**
     * Whether the client's chain is the committed one, as far as both go: `other` after two polls that found another
     * block than the committed one (`health` says which), `unknown` before the first poll, without a committed block,
     * and when the log does not reach so far. Absent from older versions.
     */
    branch: z.enum(['on', 'other', 'unknown']).default('unknown'),
    /**
     * Highest committed block that the client kept when it left the committed chain by itself, with no poll that failed
     * meanwhile; null while it has not, and as soon as it goes through the committed head again. Absent from older
     * versions.
     */
    leftAt: blockId.nullable().default(null),
    /**
     * Why this leader does not start its sequencer although nothing has failed: the log is empty and other members'
     * heads are unknown, higher or other blocks, or op-node does not ask its conductor. Else empty. Absent from older
     * versions.
     */
    startHeldBy: z.string().default(''),
    /**
     * Chain of the execution client, queried now and then; null while unknown, and on a witness. Absent from older
     * versions.
     */
    chainId: count.nullable().optional(),
    /**
     * Since when op-node publishes without its conductor, after `admin_overrideLeader` through this one: wall clock in
     * milliseconds. Null as soon as op-node was seen to ask again, after its restart. Absent from older versions.
     */
    overriddenSinceMs: z.number().nullable().default(null),
  }),
  health: z.object({
    /**
     * `unknown` before the first check, `healthy` on a witness, where nothing is checked. `conductor_sequencerHealthy`
     * is true for all but `unhealthy`.
     */
    status: z.enum(['unknown', 'healthy', 'degraded', 'unhealthy']),
    /** One line for people: the decisive fault, or the numbers of a healthy node. */
    summary: z.string(),
    /** Everything that is wrong, the decisive fault first: a stable name, and words with the numbers. */
    reasons: z.array(
      z.object({
        /** Name of the check, see health/README.md. */
        check: z.string(),
        code: z.string(),
        severity: z.enum(['degraded', 'unhealthy']),
        message: z.string(),
        /** The measurement (seconds or a count) and its limit, if there was one. */
        value: z.number().optional(),
        limit: z.number().optional(),
        /** Calls in a row without an answer, for a program that does not answer. */
        failures: count.optional(),
      }),
    ),
    /** Wall clock in milliseconds; null before the first check. */
    checkedAtMs: z.number().nullable(),
  }),
  /** Neither paused nor stopped, as `conductor_active`. Says nothing about the sequencer. */
  active: z.boolean(),
  paused: z.boolean(),
  /**
   * Who decided so, while it is paused: the flag `--paused`, the founding of a cluster, an operator for this node
   * (`conductor_pause`) or for all (`cluster`), or the node itself, since it cannot read what was decided. All but the
   * flag's outlive the process.
   */
  pausedBy: z.enum(['flag', 'bootstrap', 'cluster', 'conductor_pause', 'unreadable-file']).optional(),
  /** Wall clock in milliseconds, while it is paused. */
  pausedSinceMs: z.number().optional(),
  /** When that pause ends by itself; absent when it does not. */
  pausedUntilMs: z.number().optional(),
  /** Its owner and its reason, if given. */
  pausedOwner: z.string().optional(),
  pausedReason: z.string().optional(),
  /** Operators' decisions in the log, as far as this node has applied it. Absent from older versions. */
  maintenance: maintenanceSchema.default({ cluster: null, members: {}, halt: null }),
  /**
   * An operator has decided that no sequencer runs anywhere, as far as the log is applied here; null while nobody has.
   * Owner and reason are empty if unknown. Absent from older versions.
   */
  halt: z
    .object({
      /** Wall clock in milliseconds. */
      sinceMs: z.number(),
      owner: z.string(),
      reason: z.string(),
    })
    .nullable()
    .default(null),
  stopped: z.boolean(),
  /** `conductor_overrideLeader(true)` is in force. */
  leaderOverridden: z.boolean(),
});

/** See `conductorStatusSchema`. */
export type ConductorStatus = z.infer<typeof conductorStatusSchema>;

/**
 * The answer of `conductor_clusterStatus`: the answering node asks every member at its consensus address, within a
 * second. Members are those of its own configuration, itself included, in that order.
 */
export const clusterStatusSchema = z.object({
  /** Id of the node that answered. */
  answeredBy: z.string(),
  members: z.array(
    z.object({
      id: z.string(),
      addr: z.string(),
      suffrage: z.union([z.literal(0), z.literal(1)]),
      /** Null when it did not answer. */
      status: conductorStatusSchema.nullable(),
      /** Why not; empty when it did. */
      error: z.string(),
    }),
  ),
  /** The answering node's verdict on that; absent from older versions. */
  verdict: clusterVerdictSchema.optional(),
});

/** See `clusterStatusSchema`. */
export type ClusterStatus = z.infer<typeof clusterStatusSchema>;
