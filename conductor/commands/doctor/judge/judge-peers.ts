import type { MachineFacts, PeerFacts } from '../facts.js';
import { failure, ok, warning, type Finding } from './finding.js';

type BatonFound = Extract<PeerFacts['found'], { kind: 'baton' }>;
type BatonPeer = PeerFacts & { found: BatonFound };

/** Whether the members that the flags list are there, with the right identity. */
export function judgePeers(facts: Pick<MachineFacts, 'peers' | 'peersDigest' | 'directory'>): Finding[] {
  const { peers } = facts;
  if (facts.peersDigest === null) {
    return [ok('peers', 'no --raft.peers: this member founds a cluster alone, or is added to one')];
  }
  const found = [...peers.flatMap((peer) => ofPeer(peer, facts.peersDigest)), ...clusters(facts)];
  if (found.length > 0) return found;
  const names = peers.map(({ id }) => id).join(', ');
  return [ok('peers', peers.length === 0 ? 'this member is the only one' : `all answer: ${names}`)];
}

function ofPeer({ id, addr, found }: PeerFacts, ownDigest: string | null): Finding[] {
  const at = `${id} (${addr})`;
  switch (found.kind) {
    case 'silent':
      return [failure('peers', 'peer-silent', `${at} does not answer: ${found.reason}`)];
    case 'refused':
      return [warning('peers', 'peer-down', `${at} refuses the connection`)];
    case 'stranger':
      return [failure('peers', 'not-a-baton', `no Baton answers for ${at}: ${found.reason}`)];
    case 'baton':
      return ofBaton(id, at, found, ownDigest);
  }
}

function ofBaton(id: string, at: string, found: BatonFound, ownDigest: string | null): Finding[] {
  const { nodeId, wireProblem, isEmpty, peersDigest } = found;
  if (nodeId !== id) return [failure('peers', 'other-member', `${nodeId} answers at the address of ${at}`)];
  if (wireProblem !== undefined) return [failure('peers', 'other-wire-version', wireProblem)];
  // Once there is a cluster, the lists no longer matter.
  if (isEmpty && peersDigest !== ownDigest) {
    return [failure('peers', 'other-list', `${at} was given a different --raft.peers`)];
  }
  return [];
}

/** Members that already have a cluster, compared with each other and with this member's own disk. */
function clusters({ peers, directory }: Pick<MachineFacts, 'peers' | 'directory'>): Finding[] {
  const belonging = peers.filter(
    (peer): peer is BatonPeer => peer.found.kind === 'baton' && peer.found.clusterId !== null,
  );
  const ids = new Set(belonging.map(({ found }) => found.clusterId));
  const told = belonging.map(({ id, found }) => `${id} to ${found.clusterId}`).join(', ');
  if (ids.size > 1) return [failure('peers', 'peers-apart', `they belong to several clusters: ${told}`)];
  const { contents } = directory.answers;
  const isNew = contents !== undefined && contents.kind !== 'baton';
  if (ids.size === 0 || !isNew) return [];
  const text = `there is a cluster already (${told}), and the directory of this member has no log`;
  return [warning('peers', 'must-be-added', text)];
}
