import { Option, type Command } from 'commander';
import { clusterTimingSchema, type ClusterTimes } from '../../rpc/server/cluster-timing.js';
import { formatGoDuration } from '../config/go-duration.js';
import { CommandError } from './command-error.js';
import type { AddCommand } from './command.js';
import {
  callLeader,
  changingCommand,
  operate,
  readDuration,
  viewWithLeader,
  type ChangingOptions,
} from './cluster/cluster-command.js';
import { confirmed } from './confirmation.js';
import { answering, leaders, type ClusterView } from '../verdict/cluster-view.js';
import { standingText } from '../verdict/standing-after.js';

const TIMES = Object.keys(clusterTimingSchema.shape) as (keyof ClusterTimes)[];

/** `--election-timeout` for `electionTimeoutMs`. */
const OPTIONS: Record<keyof ClusterTimes, string> = {
  heartbeatIntervalMs: "between the leader's heartbeats",
  electionTimeoutMs: 'silence of the leader after which a follower stands',
  rankSlotMs: 'between two candidates of neighbouring rank',
  jitterMs: 'at random, on top',
  leaseTimeoutMs: 'a leader without a majority for this long steps down',
};

/** `baton timing [profile]`: shows the times of the cluster, or changes them through the log. */
export const addTiming: AddCommand = (program, io) => {
  const command = changingCommand(program, io, 'timing [profile]').description(
    'show the timers of the cluster, or set them to a profile (lan, lan-fast, multi-region) or, one by one, to free values',
  );
  addTimes(command).action((profile: string | undefined, options: ChangingOptions & Partial<ClusterTimes>) =>
    operate(io, options, async (operation) => {
      const changes = Object.fromEntries(
        TIMES.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
      );
      const isFree = Object.keys(changes).length > 0;
      if (profile !== undefined && isFree) {
        throw new CommandError('usage', 'give a profile or single times, not both');
      }
      const before = await operation.cluster.view();
      const { status } = answering(before)[0] ?? {};
      if (!status) throw new CommandError('no-answer', 'no member answers');
      if (profile === undefined && !isFree) return operation.print(timesText(status.timing));
      const { view } = await viewWithLeader(operation);
      const { profile: _, ...now } = status.timing;
      const wanted = profile ?? { ...now, ...changes };
      const shown =
        typeof wanted === 'string' ? `the profile ${wanted}` : timesText({ ...wanted, profile: null });
      const plan = [
        `The timers of all members will change, without a restart.`,
        `Now:  ${timesText(status.timing)}`,
        `Then: ${shown}`,
        standingText(view),
      ];
      if (!(await confirmed(io, plan, options))) return;
      await callLeader(
        operation,
        'conductor_setTiming',
        () => [wanted, 0],
        () => false,
      );
      const after = await operation.until((view) => disagreement(view, wanted));
      operation.done(timesText(leaders(after)[0]!.status.timing));
    }),
  );
};

function addTimes(command: Command): Command {
  for (const name of TIMES) {
    const flag = name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const option = new Option(`--${flag} <duration>`, OPTIONS[name]).argParser(readDuration);
    option.attributeName = () => name;
    command.addOption(option);
  }
  return command;
}

/** A member that answers, and still uses other timing. */
function disagreement(view: ClusterView, wanted: string | ClusterTimes): string | undefined {
  if (!leaders(view)[0]) return 'the cluster has no leader';
  const late = answering(view).find(({ status: { timing } }) =>
    typeof wanted === 'string'
      ? timing.profile !== wanted
      : TIMES.some((name) => timing[name] !== wanted[name]),
  );
  return late && `${late.id} still uses other timing: ${timesText(late.status.timing)}`;
}

function timesText({ profile, ...times }: ClusterTimes & { profile: string | null }): string {
  const values = TIMES.map((name) => `${name.replace(/Ms$/, '')} ${formatGoDuration(times[name])}`);
  return `${profile ?? 'free values'}: ${values.join(', ')}`;
}
