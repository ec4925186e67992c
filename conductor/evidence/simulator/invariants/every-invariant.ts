import { BlocksFlow } from './blocks-flow.js';
import { EndsQuietly } from './ends-quietly.js';
import { EvidenceIsTrue } from './evidence-is-true.js';
import { FewTransfers } from './few-transfers.js';
import { HaltedRests } from './halted-rests.js';
import type { Evidence, Invariant } from './invariant.js';
import { NothingLost } from './nothing-lost.js';
import { OneLeader } from './one-leader.js';
import { OnePerHeight } from './one-per-height.js';
import { OneState } from './one-state.js';
import { PausedRests } from './paused-rests.js';
import { PublishedByItsLeader } from './published-by-its-leader.js';
import { ResetsHaveCause } from './resets-have-cause.js';
import { SequencersStop } from './sequencers-stop.js';
import { StandbyIsFedWhatStays } from './standby-is-fed-what-stays.js';
import { StartedOnCommitted } from './started-on-committed.js';
import { StartsAreKnown } from './starts-are-known.js';
import { StrangersRest } from './strangers-rest.js';
import { WitnessTransfers } from './witness-transfers.js';
import { WitnessOnlyVotes } from './witness-only-votes.js';

/** All of them, new ones for each run. */
export function everyInvariant(
  evidence: Evidence,
  { blockTimeS, flowWindowMs }: { blockTimeS: number; flowWindowMs: number },
): Invariant[] {
  return [
    new OneLeader(),
    new OneState(),
    new OnePerHeight(evidence),
    new PublishedByItsLeader(evidence),
    new ResetsHaveCause(evidence),
    new StartedOnCommitted(evidence),
    new StandbyIsFedWhatStays(evidence),
    new FewTransfers(evidence),
    new PausedRests(evidence),
    new StrangersRest(evidence),
    new HaltedRests(evidence),
    new EndsQuietly(),
    new SequencersStop(evidence),
    new StartsAreKnown(evidence),
    new EvidenceIsTrue(evidence),
    new NothingLost(evidence),
    new WitnessOnlyVotes(evidence),
    new WitnessTransfers(evidence),
    new BlocksFlow(evidence, blockTimeS, flowWindowMs),
  ];
}
