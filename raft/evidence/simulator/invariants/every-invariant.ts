import { Votes } from '../votes.js';
import { bounded } from './bounded.js';
import { commitRule } from './commit-rule.js';
import { committedImmutable } from './committed-immutable.js';
import { configurationSafety } from './configuration-safety.js';
import { distinctRanks } from './distinct-ranks.js';
import { durableBeforeVisible } from './durable-before-visible.js';
import { earnedElections } from './earned-elections.js';
import { electionSafety } from './election-safety.js';
import { honestAlarms } from './honest-alarms.js';
import { honestAnswers } from './honest-answers.js';
import { honestTransfers } from './honest-transfers.js';
import type { Evidence, Invariant } from './invariant.js';
import { keptPromises } from './kept-promises.js';
import { leaderAppendOnly } from './leader-append-only.js';
import { leaderCompleteness } from './leader-completeness.js';
import { leaseDisjointness } from './lease-disjointness.js';
import { linearizableReads } from './linearizable-reads.js';
import { logMatching } from './log-matching.js';
import { monotonicity } from './monotonicity.js';
import { nothingCommittedLost } from './nothing-committed-lost.js';
import { oneVote } from './one-vote.js';
import { onlyVotersCount } from './only-voters-count.js';
import { patientWithNewcomers } from './patient-with-newcomers.js';
import { pointerOrder } from './pointer-order.js';
import { preparedTransfers } from './prepared-transfers.js';
import { reversions } from './reversions.js';
import { stateMachineSafety } from './state-machine-safety.js';
import { trueAcknowledgements } from './true-acknowledgements.js';

/** All invariants that hold at every moment. healing.ts checks liveness. */
export function everyInvariant(evidence: Evidence): Invariant[] {
  const votes = new Votes();
  return [
    electionSafety(),
    leaderAppendOnly(),
    logMatching(),
    leaderCompleteness(evidence),
    stateMachineSafety(evidence),
    commitRule(evidence),
    trueAcknowledgements(evidence),
    monotonicity(),
    oneVote(votes),
    durableBeforeVisible(),
    nothingCommittedLost(evidence),
    committedImmutable(evidence),
    pointerOrder(),
    configurationSafety(evidence),
    onlyVotersCount(votes),
    leaseDisjointness(evidence),
    keptPromises(evidence),
    earnedElections(),
    linearizableReads(evidence),
    honestAnswers(evidence),
    honestTransfers(evidence),
    preparedTransfers(),
    patientWithNewcomers(),
    bounded(),
    distinctRanks(),
    honestAlarms(evidence),
    reversions(),
  ];
}
