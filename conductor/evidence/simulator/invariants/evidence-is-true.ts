import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** What was found a moment ago may be about the previous process. */
const LIVES_SINCE_MS = 2000;

/**
 * No node stands for election because its leader's process is gone while that process runs, leads and refuses no
 * connection: silence and broken connections prove nothing.
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
