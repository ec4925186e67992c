import { hostname } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { hideCredentials } from '../../../common/endpoint.js';
import { ClientError } from '../../../rpc/clients/client-error.js';
import { duration } from '../../config/value-types.js';
import { sleep } from '../../time/sleep.js';
import { CommandError } from '../command-error.js';
import type { CommandIo, RunIo } from '../command.js';
import { withChangeOptions, withReason, type ChangeOptions } from '../confirmation.js';
import { withOutput, type OutputFormat } from '../output/document.js';
import { readCredentials, withCredentialOptions, type CredentialPaths } from '../settings/credentials.js';
import { stateFile } from '../settings/folders.js';
import { MemberMemory } from '../settings/member-memory.js';
import { findTarget, ownUrl, type Target, type TargetOptions } from '../settings/target.js';
import { accessError } from './access-error.js';
import type { ClusterClient } from './cluster-client.js';
import {
  leaders,
  noLeader,
  type Answering,
  type ClusterView,
  type Member,
} from '../../verdict/cluster-view.js';
import { Deadline, waitUntil } from './wait-until.js';

const DEFAULT_DEADLINE_MS = 60_000;

/** What a command of the cluster works with. */
export interface Operation extends RunIo {
  cluster: ClusterClient;
  deadline: Deadline;
  /** Looks at the cluster until `missing` finds nothing more to wait for. Fails when the time has run out. */
  until: (missing: (view: ClusterView) => string | undefined) => Promise<ClusterView>;
  /** Reports an observation, with the time since the command began; `data` is the same for programs. */
  done: (line: string, data?: object) => void;
}

/** Adds the options that all commands of the cluster have. */
export function clusterCommand(program: Command, io: CommandIo, usage: string): Command {
  const given = hideCredentials(io.env['BATON_RPC'] || ownUrl(io.env));
  const command = program
    .command(usage)
    .addOption(
      new Option(
        '--rpc <urls>',
        `RPC of one or more conductors, with commas; one that runs is enough (env: BATON_RPC; else ${given})`,
      ),
    )
    .addOption(
      new Option(
        '--cluster <name>',
        'a cluster of ~/.config/baton/config.yaml (env: BATON_CLUSTER; else the default of that file)',
      ),
    );
  return withCredentialOptions(command).addOption(
    new Option('--deadline <duration>', 'longest time to wait until it is so, such as 30s or 2m')
      .default(DEFAULT_DEADLINE_MS, '1m')
      .argParser(readDuration),
  );
}

/** The same for a command that changes something. */
export function changingCommand(program: Command, io: CommandIo, usage: string): Command {
  const command = withReason(withChangeOptions(clusterCommand(program, io, usage)));
  return withOutput(command, ['text', 'json', 'yaml']);
}

/** Options of every command of the cluster. */
export interface ClusterOptions extends TargetOptions, CredentialPaths {
  deadline: number;
}

/** Options of every command that changes the cluster. */
export type ChangingOptions = ClusterOptions & ChangeOptions & { output: OutputFormat };

/** Runs the body of a command with a cluster that is always closed. */
export async function operate(
  io: RunIo,
  { deadline: timeoutMs, reason, ...options }: ClusterOptions & Pick<ChangeOptions, 'reason'>,
  body: (operation: Operation) => Promise<void>,
): Promise<void> {
  const { signal, note, report } = io;
  const target = await findTarget(options, io.env);
  const sources = { options, ofCluster: target.credentials, env: io.env };
  const credentials = await readCredentials(sources, io);
  // Loaded here because it brings undici, which help and complaints do not need.
  const { ClusterClient } = await import('./cluster-client.js');
  const cluster = new ClusterClient({
    urls: target.urls,
    credentials,
    signal,
    said: { owner: whoIsAsking(io), reason },
    memory: new MemberMemory({ file: stateFile(io.env), target, note }),
    note,
  });
  const deadline = new Deadline(timeoutMs);
  const startedMs = performance.now();
  try {
    await body({
      ...io,
      cluster,
      deadline,
      until: (missing) => waitUntil(cluster, { deadline, signal, note, sleep }, missing),
      done: (line, data) =>
        report.done(`${line} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`, data),
    });
  } catch (error) {
    throw unguided(error, target);
  } finally {
    await cluster.close();
  }
}

/** If no cluster was named, the remedy says how to name one. */
function unguided(error: unknown, { isGuess }: Target): unknown {
  if (!isGuess || !(error instanceof CommandError) || error.code !== 'no-answer') return error;
  return new CommandError(
    'no-answer',
    error.message,
    'no cluster was named, so the usual address on this host was asked: give --rpc HOST:PORT of a conductor (not of ' +
      'op-node or the execution client), set BATON_RPC, or write the cluster into ~/.config/baton/config.yaml',
  );
}

/** A conductor by its id. @throws CommandError `not-a-member` */
export function memberOf(view: ClusterView, id: string): Member {
  const member = view.members.find((candidate) => candidate.id === id);
  if (member) return member;
  const known = view.members.map((candidate) => candidate.id).join(', ');
  throw new CommandError('not-a-member', `${id} is not a member; the members are ${known}`);
}

/** Waits for a leader: without one, nothing can be changed. */
export async function viewWithLeader(
  operation: Operation,
): Promise<{ view: ClusterView; leader: Answering }> {
  const view = await operation.until((seen) => (leaders(seen)[0] ? undefined : noLeader(seen)));
  return { view, leader: leaders(view)[0]! };
}

/** User and host of the command's caller, as far as known. */
export function whoIsAsking({ env }: Pick<CommandIo, 'env'>): string {
  return `${env['USER'] || env['LOGNAME'] || 'somebody'}@${hostname()}`;
}

/** After these answers of a conductor, it is more useful to look at the cluster than to repeat the call. */
const UNSETTLED = [
  'leadership transfer in progress',
  'leadership transfer timeout',
  'leadership lost while committing log',
  'node is not the leader',
];

/** Whether a failed call may have taken effect, or may do so at the next attempt. */
function isUnsettled(error: ClientError): boolean {
  if (accessError(error)) return false;
  if (error.failure.code !== 'rpc-error') return error.code !== 'http-status' && error.code !== 'bad-answer';
  const { rpcMessage } = error.failure;
  return UNSETTLED.some((text) => rpcMessage.includes(text));
}

/**
 * Calls a method at the leader, even if leadership moves, until one has done it or `isDone` sees that it was done by a
 * call whose answer was lost.
 *
 * @throws CommandError `refused` with the leader's answer, `deadline`
 */
export async function callLeader(
  operation: Operation,
  method: string,
  params: (leader: Answering) => readonly unknown[],
  isDone: (view: ClusterView) => boolean,
): Promise<void> {
  const { cluster, deadline, note } = operation;
  let last: string | undefined;
  for (;;) {
    const view = await operation.until((seen) =>
      isDone(seen) || leaders(seen)[0] ? undefined : noLeader(seen),
    );
    if (isDone(view)) return;
    const leader = leaders(view)[0]!;
    try {
      await cluster.call(leader, method, params(leader), deadline.remainingMs);
      return;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (!isUnsettled(error)) throw refused(error);
      if (error.message !== last) note(`trying again: ${error.message}`);
      last = error.message;
      if (deadline.isOver) throw new CommandError('deadline', `after ${deadline.toString()}: ${last}`);
      // The result shows within an election.
      await operation.until(settled(leader)).catch(() => undefined);
    }
  }
}

/** Waits for a change of leadership, but not for long: a call that just failed is simply repeated. */
function settled(before: Answering): (view: ClusterView) => string | undefined {
  const endMs = performance.now() + 1000;
  return (view) => {
    const now = leaders(view)[0];
    const changed = now !== undefined && (now.id !== before.id || now.status.term !== before.status.term);
    return changed || performance.now() > endMs ? undefined : 'no new leader yet';
  };
}

/** The conductor refused. @returns CommandError `refused`, or why it does not give access */
export function refused(error: ClientError): CommandError {
  const access = accessError(error);
  if (access) return access;
  const text = error.failure.code === 'rpc-error' ? error.failure.rpcMessage : error.message;
  return new CommandError('refused', `${error.server} answers: ${text}`);
}

/** For options that are durations. */
export function readDuration(text: string): number {
  const parsed = duration.schema.safeParse(text);
  if (!parsed.success || parsed.data < 0) throw new InvalidArgumentError(`Expected ${duration.expected}.`);
  return parsed.data;
}
