import { TIMING_PROFILES } from '../../../../raft/index.js';
import type { DirectoryAnswers, MachineFacts, NodeFacts, PeerFacts } from '../facts.js';

const MIB = 1 << 20;
const HASH = `0x${'ab'.repeat(32)}`;
const HEAD = { number: 100, hash: HASH, timestamp: 1_700_000_000 };

/** A machine without problems. */
export const goodAnswers: Required<DirectoryAnswers> = {
  place: { existing: '/data', isDirectory: true, isWritable: true, ownerUid: 1000, ownUid: 1000 },
  space: { freeBytes: 4096 * MIB, sizeBytes: 10_240 * MIB },
  contents: { kind: 'absent', files: [] },
  lock: 'free',
  speed: { at: '/data', writes: 40, medianMs: 0.4, slowestMs: 2 },
};

export const goodNode: NodeFacts = {
  nodeUrl: 'http://op-node:9545',
  executionUrl: 'http://geth:8545',
  opNode: {
    head: { value: HEAD },
    chainId: { value: 901 },
    conductorEnabled: { value: true },
    sequencerActive: { value: false },
    peers: { value: 2 },
  },
  execution: {
    head: { value: HEAD },
    chainId: { value: 901 },
    atNodeHead: { value: { hash: HASH } },
  },
  askedAtMs: 1_700_000_001_000,
};

export const batonPeer = (id: string, changes: object = {}): PeerFacts => ({
  id,
  addr: `${id}:50050`,
  found: {
    kind: 'baton',
    nodeId: id,
    clusterId: null,
    wireProblem: undefined,
    isEmpty: true,
    peersDigest: 'abc',
    roundTripMs: 0.8,
    ...changes,
  },
});

export const goodMachine: MachineFacts = {
  serverId: 'a',
  peersDigest: 'abc',
  retentionBytes: 128 * MIB,
  timing: TIMING_PROFILES.lan,
  rpcPort: 8547,
  limits: { unsafeIntervalSeconds: 5, minPeerCount: 1 },
  alreadyRuns: false,
  ports: [
    { name: 'consensus', host: '0.0.0.0', port: 50050, problem: null },
    { name: 'RPC', host: '0.0.0.0', port: 8547, problem: null },
  ],
  directory: { directory: '/data/a/baton', answers: goodAnswers, trouble: null },
  peers: [batonPeer('b'), batonPeer('c')],
  node: goodNode,
};
