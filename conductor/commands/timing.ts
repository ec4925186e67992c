import { Argument, Option, type Command } from 'commander';
import { TIMING_PROFILES } from '../../raft/values.js';
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
import { documentFormat, SCHEMA_VERSION, writeDocument } from './output/document.js';
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

/** `baton timing [profile]`: shows the timing of the cluster, or changes it through the log. */
export const addTiming: AddCommand = (program, io) => {
  const command = changingCommand(program, io, 'timing')
    .description('show the timers of the cluster, or set them to a profile or, one by one, to free values')
    .addArgument(new Argument('[profile]', 'what fits the distance').choices(Object.keys(TIMING_PROFILES)));
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
      if (profile === undefined && !isFree) {
        const { timing } = status;
        const format = documentFormat(options.output);
        const document = { schemaVersion: SCHEMA_VERSION, timing };
        return operation.print(
          format ? await writeDocument(document, format) : timesLines(timing).join('\n'),
        );
      }
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
      const { timing } = leaders(after)[0]!.status;
      operation.done(timesText(timing), { timing });
    }),
  );
};

function addTimes(command: Command): Command {
  for (const name of TIMES) {
    const option = new Option(`--${dashed(name)} <duration>`, OPTIONS[name]).argParser(readDuration);
    option.attributeName = () => name;
    command.addOption(option);
  }
  return command;
}

/** The name of a value, as in its option. */
function dashed(name: keyof ClusterTimes): string {
  return name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
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

type ShownTimes = ClusterTimes & { profile: string | null };

const profileText = ({ profile }: ShownTimes): string => profile ?? 'free values';

/** In one line. */
function timesText(timing: ShownTimes): string {
  const values = TIMES.map((name) => `${dashed(name)} ${formatGoDuration(timing[name])}`);
  return `${profileText(timing)}: ${values.join(', ')}`;
}

/** One below the other. */
function timesLines(timing: ShownTimes): string[] {
  const rows = [
    ['profile', profileText(timing)],
    ...TIMES.map((name) => [dashed(name), formatGoDuration(timing[name])]),
  ];
  const width = Math.max(...rows.map(([name]) => name!.length));
  return rows.map(([name, value]) => `${name!.padEnd(width)}  ${value}`);
}
