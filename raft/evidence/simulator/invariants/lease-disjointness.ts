import { check } from '../../checks/violation.js';
import type { ObservedNode } from '../observed-node.js';
import type { SimulationOptions } from '../options.js';
import type { Evidence, Invariant } from './invariant.js';

/**
 * I15 Lease disjointness: at any true instant, at most one awake node trusts its lease.
 *
 * The lease is advisory: no commit depends on it. It holds as long as its conditions do: clocks within the declared drift,
 * and voters that neither forget their loyalty in a restart nor give it up on evidence of a death.
 */
export function leaseDisjointness({ nodes, options, nowMs }: Evidence): Invariant {
  if (!leasesAreSound(options)) return {};

  const trustsItsLease = ({ process, isAwake, clock: own }: ObservedNode): boolean =>
    process !== null && isAwake && process.core.status(own.at(nowMs())).leaseRemainingMs > 0;

  return {
    stepped({ node }) {
      if (!node.leads) return;
      const other = nodes.find((peer) => peer !== node && peer.leads);
      if (!other) return;
      check(
        !trustsItsLease(node) || !trustsItsLease(other),
        'I15',
        () => `${node.id} and ${other.id} both trust their lease`,
      );
    },
  };
}

/** No clock lies and no voter forgets. */
export function leasesAreSound({ faults, clock, timing, network }: SimulationOptions): boolean {
  const { weights } = faults;
  const canForget =
    weights.crash + weights.crashAll + weights.loseDisk + weights.diskFull + weights.usurp > 0;
  const clocksAreTrue =
    weights.clockLeap + weights.clockDrift === 0 &&
    !(faults.pauseStopsClock && weights.pause + weights.suspend > 0) &&
    timing.leaseTimeoutMs * (1 + clock.rateSpread) < timing.electionTimeoutMs * (1 - clock.rateSpread);
  return (
    clocksAreTrue &&
    !canForget &&
    faults.crashAroundWriteChance + faults.crashAfterVoteChance + faults.writeErrorChance === 0 &&
    !network.evidence
  );
}
