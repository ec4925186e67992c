import type { ListenErrorCode } from '../../../common/listen-error.js';
import type { ClusterTimes } from '../../../rpc/server/cluster-timing.js';
import type { ClusterView } from '../../verdict/cluster-view.js';

/** How the program was started that asks. */
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
  /** What it is the port of. */
  name: string;
  host: string;
  port: number;
  /** Why it cannot be listened on; null when it can. */
  problem: { code: ListenErrorCode; message: string; remedy: string } | null;
}

/** What a directory holds where the log would be. */
export interface DirectoryContents {
  kind: 'absent' | 'empty' | 'baton' | 'other-database' | 'headless-database' | 'other-files';
  /** Some of the names. */
  files: readonly string[];
}

/** How long synced writes take. */
export interface DiskSpeed {
  /** Directory that the file was in. */
  at: string;
  writes: number;
  medianMs: number;
  slowestMs: number;
}

/** What the disk has answered so far; what is undefined has not come back. */
export interface DirectoryAnswers {
  place?: {
    /** The directory itself, or the nearest above it that exists. */
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
  /** Why the rest of the answers is missing; null when all are there. */
  trouble: string | null;
}

/** Who answers at the consensus address of a member. */
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
        /** At least; half of the time that connecting and asking took. */
        roundTripMs: number;
      }
    /** `refused`: nobody listens there. `stranger`: something else than a Baton answers. */
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

/** What op-node and the execution client say; asked side by side. */
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
    /** Its block of the height of op-node's head; null if it has none. Absent while that head is unknown. */
    atNodeHead: Asked<{ hash: string } | null> | undefined;
  };
  /** Wall clock of this machine when that was asked, in milliseconds. */
  askedAtMs: number;
}

/** What `baton run` with these flags needs of this machine and of the network. */
export interface MachineFacts {
  serverId: string;
  /** Digest of `raft.peers`; null without the list. */
  peersDigest: string | null;
  retentionBytes: number;
  timing: ClusterTimes;
  /** URL at which op-node is to ask. */
  rpcPort: number;
  limits: { unsafeIntervalSeconds: number; minPeerCount: number };
  /** This very member already runs here. */
  alreadyRuns: boolean;
  ports: readonly PortFacts[];
  directory: DirectoryFacts;
  peers: readonly PeerFacts[];
  /** Null on a witness. */
  node: NodeFacts | null;
}

/** What a member that answers told at its own RPC. */
export interface MemberFacts {
  id: string;
  rpc:
    | {
        /** The members as it reaches them; `silence` is why one does not answer, else empty. */
        sees: readonly { id: string; silence: string }[];
        /** Its wall clock less that of this machine; undefined for releases that do not tell it. */
        clock: { offsetMs: number; uncertaintyMs: number } | undefined;
      }
    | { error: string };
}

/** A cluster that runs. */
export interface ClusterFacts {
  view: ClusterView;
  /** Those that answer. */
  members: readonly MemberFacts[];
}
