import type { ListenErrorCode } from '../../../common/listen-error.js';
import type { ClusterTimes } from '../../../rpc/server/cluster-timing.js';
import type { ClusterView } from '../../verdict/cluster-view.js';

/** How the program that asks was started. */
export interface StartFacts {
  nodeVersion: string;
  /** The oldest that this release runs on. */
  oldestNode: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Options of node, from the command line and from NODE_OPTIONS. */
  nodeOptions: readonly string[];
}

/** A port that `baton run` would listen on. */
export interface PortFacts {
  /** The purpose of the port. */
  name: string;
  host: string;
  port: number;
  /** Why it cannot be listened on; null if it can. */
  problem: { code: ListenErrorCode; message: string; remedy: string } | null;
}

/** The content of a directory at the place of the log. */
export interface DirectoryContents {
  kind: 'absent' | 'empty' | 'baton' | 'other-database' | 'headless-database' | 'other-files';
  /** Some of the names. */
  files: readonly string[];
}

/** The duration of synced writes. */
export interface DiskSpeed {
  /** Directory that held the file. */
  at: string;
  writes: number;
  medianMs: number;
  slowestMs: number;
}

/** The answers of the disk so far; undefined ones have not come back. */
export interface DirectoryAnswers {
  place?: {
    /** The directory itself, or its nearest existing parent. */
    existing: string;
    isDirectory: boolean;
    isWritable: boolean;
    ownerUid: number;
    ownUid: number;
  };
  space?: { freeBytes: number; sizeBytes: number };
  contents?: DirectoryContents;
  lock?: 'free' | 'held' | { error: string };
  speed?: DiskSpeed | { error: string };
}

export interface DirectoryFacts {
  directory: string;
  answers: DirectoryAnswers;
  /** Why the other answers are missing; null if all are there. */
  trouble: string | null;
}

/** The program that answers at the consensus address of a member. */
export interface PeerFacts {
  id: string;
  addr: string;
  found:
    | {
        kind: 'baton';
        nodeId: string;
        clusterId: string | null;
        /** Why the two releases cannot talk to each other; undefined if they can. */
        wireProblem: string | undefined;
        isEmpty: boolean;
        /** Digest of the list that it was given; null without one. */
        peersDigest: string | null;
        /** A lower bound: half of the time that connecting and asking took. */
        roundTripMs: number;
      }
    /** `refused`: no program listens there. `stranger`: a program other than Baton answers. */
    | { kind: 'silent' | 'refused' | 'stranger'; reason: string };
}

/** An answer, or why there is none. */
export type Asked<T> = { value: T } | { error: string; isMethodMissing: boolean };

interface BlockFacts {
  number: number;
  hash: string | undefined;
  /** Seconds since the epoch. */
  timestamp: number;
}

/** The answers of op-node and the execution client, asked in parallel. */
export interface NodeFacts {
  nodeUrl: string;
  executionUrl: string;
  opNode: {
    head: Asked<BlockFacts>;
    chainId: Asked<number>;
    conductorEnabled: Asked<boolean>;
    sequencerActive: Asked<boolean>;
    peers: Asked<number>;
  };
  execution: {
    head: Asked<BlockFacts>;
    chainId: Asked<number>;
    /** Its block at the height of op-node's head; null if it has none. Absent while that head is unknown. */
    atNodeHead: Asked<{ hash: string } | null> | undefined;
  };
  /** Wall clock of this machine at that request, in milliseconds. */
  askedAtMs: number;
}

/** What `baton run` with these flags needs from this machine and the network. */
export interface MachineFacts {
  serverId: string;
  /** Digest of `raft.peers`; null without the list. */
  peersDigest: string | null;
  retentionBytes: number;
  timing: ClusterTimes;
  /** URL at which op-node must ask. */
  rpcPort: number;
  limits: { unsafeIntervalSeconds: number; minPeerCount: number };
  /** The same member already runs here. */
  alreadyRuns: boolean;
  ports: readonly PortFacts[];
  directory: DirectoryFacts;
  peers: readonly PeerFacts[];
  /** Null on a witness. */
  node: NodeFacts | null;
}

/** The account of a member that answers at its own RPC. */
export interface MemberFacts {
  id: string;
  rpc:
    | {
        /** The members that it can reach; `silence` is why one does not answer, else empty. */
        sees: readonly { id: string; silence: string }[];
        /** Its wall clock minus that of this machine; undefined for releases that do not report it. */
        clock: { offsetMs: number; uncertaintyMs: number } | undefined;
      }
    | { error: string };
}

/** A running cluster. */
export interface ClusterFacts {
  view: ClusterView;
  /** The members that answer. */
  members: readonly MemberFacts[];
}
