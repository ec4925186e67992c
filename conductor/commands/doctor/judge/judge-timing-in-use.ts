import { judgeTiming } from '../../../../raft/values.js';
import type { MachineFacts } from '../facts.js';
import { ok, warning, type Finding } from './finding.js';

/** The timing of a cluster that this member founds, compared with its disk and its network to the others. */
export function judgeTimingInUse(facts: Pick<MachineFacts, 'timing' | 'peers' | 'directory'>): Finding[] {
  const { timing, peers, directory } = facts;
  const roundTrips = peers.flatMap(({ found }) => (found.kind === 'baton' ? [found.roundTripMs] : []));
  const { speed } = directory.answers;
  const roundTripMs = roundTrips.length === 0 ? undefined : Math.max(...roundTrips);
  const syncMs = speed && !('error' in speed) ? speed.medianMs : undefined;
  const problems = judgeTiming(timing, { roundTripMs, syncMs, latenessMs: undefined });
  if (problems.length > 0) return problems.map(({ text }) => warning('timing', 'tight-timing', text));
  const times = `election timeout ${timing.electionTimeoutMs} ms`;
  return [
    ok(
      'timing',
      roundTripMs === undefined
        ? `${times}; no member has answered, so the network is not measured`
        : `${times} fits a round trip of ${roundTripMs.toFixed(1)} ms`,
    ),
  ];
}
