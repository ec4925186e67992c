import type { SimulatedDisk } from './disk.js';
import type { SimulatedNode } from './node.js';

/** A snapshot of a volume that the nemesis may put back. */
export interface OlderState {
  node: SimulatedNode;
  copy: SimulatedDisk;
  /** Of the leader. */
  term: number;
  isShorter: boolean;
}

/** Snapshots of the node's volume that lack what it has acknowledged to this leader. */
export function olderStates(node: SimulatedNode, leader: SimulatedNode): OlderState[] {
  const ctx = leader.process?.ctx;
  const progress = ctx?.leadership?.progress.get(node.id);
  if (!ctx || !progress || !node.process || node.diskIsLost) return [];
  const { term, log } = ctx;
  const index = progress.acknowledgedIndex;
  const hash = log.hashAt(index);
  // A node that has reported a later term may have promised more than this leader knows.
  const isHeard = node.process.ctx.term === term && progress.incarnation === node.incarnation;
  if (!isHeard || index === 0 || hash === undefined) return [];
  return node.copies.flatMap((copy) => {
    if (copy.snapshotIndex > index || copy.hashAt(index) === hash) return [];
    return { node, copy, term, isShorter: copy.lastIndex < index };
  });
}
