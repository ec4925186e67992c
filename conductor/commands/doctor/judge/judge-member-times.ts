import { judgeTiming } from '../../../../raft/values.js';
import { answering } from '../../../verdict/cluster-view.js';
import type { ClusterFacts } from '../facts.js';
import { ok, warning, type Finding } from './finding.js';

/** The timing in force, compared with the members' measurements of network, disk and process. */
export function judgeMemberTimes({ view }: ClusterFacts): Finding[] {
  const told = answering(view).flatMap(({ id, status: { timing, measured } }) =>
    measured ? [{ id, timing, measured }] : [],
  );
  const found = told.flatMap(({ id, timing, measured }) => {
    const [roundTripMs, syncMs, latenessMs] = [
      measured.roundTripMs ?? undefined,
      measured.syncMs ?? undefined,
      measured.latenessMs ?? undefined,
    ];
    return judgeTiming(timing, { roundTripMs, syncMs, latenessMs }).map(({ text }) =>
      warning('timing', 'tight-timing', `${id}: ${text}`),
    );
  });
  if (found.length > 0) return found;
  const round = (ms: number): string => `${Math.round(ms * 10) / 10} ms`;
  const most = (values: readonly (number | null)[]): string => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? 'not measured yet' : round(Math.max(...known));
  };
  const [roundTrip, sync] = [
    most(told.map(({ measured }) => measured.roundTripMs)),
    most(told.map(({ measured }) => measured.syncMs)),
  ];
  return [ok('timing', `worst 99th percentiles: round trip ${roundTrip}, synced write ${sync}`)];
}
