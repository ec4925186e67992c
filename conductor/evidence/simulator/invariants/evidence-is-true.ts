import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** What was found out a moment ago may be about the process before. */
const LIVES_SINCE_MS = 2000;

/**
 * Nobody stands for election on the proof that its leader is gone while that process lives, leads, and refuses no
 * connection: silence, and connections that break, prove nothing.
 */
export class EvidenceIsTrue implements Invariant {
  readonly name = 'evidence-is-true';

  constructor(private readonly evidence: Evidence) {}

  evidenceOf(nodeId: string, { nodeId: leader, role, roleSinceMs }: Observed): void {
    const { nowMs } = this.evidence;
    if (role !== 'leader' || nowMs - roleSinceMs < LIVES_SINCE_MS) return;
    if (this.evidence.refused(nodeId, leader)) return;
    broken(this, `${nodeId} holds the process of ${leader} for gone, which lives and leads`);
  }
}
