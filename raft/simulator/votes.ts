import type { NodeId } from '../core/types.js';

/** Every vote that ever left a node. */
export class Votes {
  private readonly votes = new Map<number, Map<NodeId, NodeId>>();

  of(voter: NodeId, term: number): NodeId | undefined {
    return this.votes.get(term)?.get(voter);
  }

  note(voter: NodeId, term: number, candidate: NodeId): void {
    const ofTerm = this.votes.get(term) ?? new Map<NodeId, NodeId>();
    this.votes.set(term, ofTerm.set(voter, candidate));
  }
}
