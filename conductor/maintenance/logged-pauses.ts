import type { ChainStateMachine } from '../chain/chain-state-machine.js';
import { pauseOf, type RecordedPause } from '../chain/maintenance.js';
import type { LoggedPause, LoggedPauses } from '../control/switches.js';

/** The pauses of the log that concern this member. */
export function loggedPauses(
  { records, appliedIndex }: Pick<ChainStateMachine, 'records' | 'appliedIndex'>,
  member: string,
): LoggedPauses {
  const { maintenance } = records;
  return {
    cluster: loggedPause(maintenance.cluster),
    member: loggedPause(pauseOf(maintenance, member)),
    appliedIndex,
  };
}

function loggedPause(recorded: RecordedPause | null): LoggedPause | undefined {
  if (!recorded) return undefined;
  const { id, logIndex, sinceMs, untilMs, who } = recorded;
  return {
    ...{ id, logIndex, sinceMs },
    ...(untilMs !== null && { untilMs }),
    ...(who.owner !== undefined && { owner: who.owner }),
    ...(who.reason !== undefined && { reason: who.reason }),
  };
}
