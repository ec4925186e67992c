import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** Time for a successor to get the whole log and win its election, at the second attempt if the first fails. */
const TRANSFERRED_WITHIN_MS = 10_000;

/**
 * A witness leads only until it has transferred leadership to a member that could sequence, because no block comes
 * meanwhile. A member counts only if it could sequence all the time, with no fault between the two.
 */
export class WitnessTransfers implements Invariant {
  readonly name = 'witness-transfers';
  /** Since when the witness has led while this member could sequence. */
  private readonly sinceMs = new Map<string, number>();

  constructor(private readonly evidence: Evidence) {}

  passed(): void {
    const { machines, nowMs } = this.evidence;
    const leader = machines.find(({ isWitness, role }) => isWitness && role === 'leader');
    for (const member of machines) {
      if (!leader || !this.couldTakeOver(leader, member)) {
        this.sinceMs.delete(member.nodeId);
        continue;
      }
      const sinceMs = Math.max(this.sinceMs.get(member.nodeId) ?? nowMs, leader.roleSinceMs);
      this.sinceMs.set(member.nodeId, sinceMs);
      if (nowMs - sinceMs > TRANSFERRED_WITHIN_MS)
        broken(this, `the witness ${leader.nodeId} leads, while ${member.nodeId} could sequence`);
    }
  }

  private couldTakeOver(leader: Observed, member: Observed): boolean {
    const { evidence } = this;
    return (
      member.couldSequence &&
      !leader.hasSlowDisk &&
      !member.hasSlowDisk &&
      !evidence.isDisturbed(leader.nodeId, member.nodeId)
    );
  }
}
