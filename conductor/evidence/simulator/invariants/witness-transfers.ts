import { broken, type Evidence, type Invariant, type Observed } from './invariant.js';

/** A successor gets the whole log and wins its election, at the second attempt if the first is lost. */
const TRANSFERRED_WITHIN_MS = 10_000;

/**
 * A witness leads no longer than it takes to transfer leadership to a member that could sequence: no block comes meanwhile. Only a
 * member counts that could without a break, and with no fault between the two.
 */
export class WitnessTransfers implements Invariant {
  readonly name = 'witness-transfers';
  /** Since when the witness leads beside this member. */
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
