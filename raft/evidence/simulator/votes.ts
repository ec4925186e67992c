import type { NodeId } from '../../core/configuration.js';

/** Every vote that ever left a node, by the node's disk: a node with a new disk is another node. */
export class Votes {
  private readonly votes = new Map<number, Map<string, NodeId>>();

  of(incarnation: string, term: number): NodeId | undefined {
    return this.votes.get(term)?.get(incarnation);
  }

  note(incarnation: string, term: number, candidate: NodeId): void {
    const ofTerm = this.votes.get(term) ?? new Map<string, NodeId>();
    this.votes.set(term, ofTerm.set(incarnation, candidate));
  }
}
