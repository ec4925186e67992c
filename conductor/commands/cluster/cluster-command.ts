import { hostname } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { endpointProblem, hideCredentials } from '../../../common/endpoint.js';
import { ClientError } from '../../../rpc/clients/client-error.js';
import { formatHostPort, isWildcard, parseHostPort, withoutBrackets } from '../../config/host-port.js';
import { duration } from '../../config/value-types.js';
import { sleep } from '../../time/sleep.js';
import { CommandError } from '../command-error.js';
import type { CommandIo, RunIo } from '../command.js';
import { withChangeOptions, withReason, type ChangeOptions } from '../confirmation.js';
import { ClusterClient } from './cluster-client.js';
import {
  leaders,
  noLeader,
  type Answering,
  type ClusterView,
  type Member,
} from '../../verdict/cluster-view.js';
import { Deadline, waitUntil } from './wait-until.js';

/** op-conductor's default of `rpc.port`. */
const DEFAULT_RPC_PORT = '8545';

const DEFAULT_DEADLINE_MS = 60_000;

/** What a command of the cluster works with. */
export interface Operation extends RunIo {
  cluster: ClusterClient;
  deadline: Deadline;
  /** Looks at the cluster until `missing` finds nothing more to wait for; fails when the time is over. */
  until: (missing: (view: ClusterView) => string | undefined) => Promise<ClusterView>;
  /** Prints what was seen, with the time since the command began. */
  done: (line: string) => void;
}

/** Adds the options that all commands of the cluster have. */
export function clusterCommand(program: Command, io: CommandIo, usage: string): Command {
  const port = io.env['OP_CONDUCTOR_RPC_PORT'] || DEFAULT_RPC_PORT;
  const given =
    io.env['BATON_RPC'] || `http://${formatHostPort(ownHost(io.env['OP_CONDUCTOR_RPC_ADDR']), Number(port))}`;
  return program
    .command(usage)
    .addOption(
      new Option(
        '--rpc <urls>',
        'RPC of one or more conductors, with commas; one that runs is enough (env: BATON_RPC)',
      ).default(given, JSON.stringify(hideCredentials(given))),
    )
    .addOption(
      new Option('--deadline <duration>', 'longest time to wait until it is so, such as 30s or 2m')
        .default(DEFAULT_DEADLINE_MS, '1m')
        .argParser(readDuration),
    );
}

/** The same for a command that changes something. */
export function changingCommand(program: Command, io: CommandIo, usage: string): Command {
  return withReason(withChangeOptions(clusterCommand(program, io, usage)));
}

/** Where the conductor of this host answers, if it has the environment of this command. */
function ownHost(listensOn = ''): string {
  return listensOn === '' || isWildcard(listensOn) ? '127.0.0.1' : withoutBrackets(listensOn);
}

/** Options of every command of the cluster. */
export interface ClusterOptions {
  /** URLs, or `host:port`, separated by commas. */
  rpc: string;
  deadline: number;
}

/** Options of every command that changes the cluster. */
export type ChangingOptions = ClusterOptions & ChangeOptions;

/** Runs the body of a command with a cluster that is always closed. */
export async function operate(
  io: RunIo,
  { rpc, deadline: timeoutMs, reason }: ClusterOptions & Pick<ChangeOptions, 'reason'>,
  body: (operation: Operation) => Promise<void>,
): Promise<void> {
  const cluster = new ClusterClient(
    urlsOf(rpc),
    io.signal,
    reason === undefined ? undefined : `${whoIsAsking(io)}: ${reason}`,
  );
  const deadline = new Deadline(timeoutMs);
  const startedMs = performance.now();
  try {
    await body({
      ...io,
      cluster,
      deadline,
      until: (missing) => waitUntil(cluster, { deadline, signal: io.signal, note: io.note, sleep }, missing),
      done: (line) => io.print(`${line} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`),
    });
  } finally {
    await cluster.close();
  }
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

/** Name and host of whoever runs the command, as far as they say. */
export function whoIsAsking({ env }: Pick<CommandIo, 'env'>): string {
  return `${env['USER'] || env['LOGNAME'] || 'somebody'}@${hostname()}`;
}

/** Answers of a conductor after which looking at the cluster tells more than repeating the call would. */
const UNSETTLED = [
  'leadership transfer in progress',
  'leadership transfer timeout',
  'leadership lost while committing log',
  'node is not the leader',
];

/** Whether a failed call may have had its effect, or may have it at the next try. */
function isUnsettled(error: ClientError): boolean {
  if (error.failure.code !== 'rpc-error') return error.code !== 'http-status' && error.code !== 'bad-answer';
  const { rpcMessage } = error.failure;
  return UNSETTLED.some((text) => rpcMessage.includes(text));
}

/**
 * Calls a method at the leader, wherever that is by then, until one of them has done it or `isDone` sees that it
 * was done by a call whose answer was lost.
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
      // Whatever comes of it shows within an election.
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

/** The conductor said no. */
export function refused(error: ClientError): CommandError {
  const text = error.failure.code === 'rpc-error' ? error.failure.rpcMessage : error.message;
  return new CommandError('refused', `${error.server} answers: ${text}`);
}

/** One of them may be `host:port` as well. */
function urlsOf(text: string): string[] {
  const given = text.replace(/,\s*$/, '').split(',');
  const urls = given.map((url) => (parseHostPort(url.trim()) ? `http://${url.trim()}` : url.trim()));
  for (const [at, url] of urls.entries()) {
    const problem = endpointProblem(url);
    if (problem === undefined) continue;
    // By its place: of a text that is no URL nobody can tell what in it is a password.
    const which = urls.length === 1 ? '--rpc' : `URL ${at + 1} of --rpc`;
    const comma = urls.length === 1 ? '' : ' (in a user name or password, write , as %2C)';
    throw new CommandError('usage', `${which} is none such as http://10.0.0.1:8547: ${problem}${comma}`);
  }
  return urls;
}

/** For options that are durations. */
export function readDuration(text: string): number {
  const parsed = duration.schema.safeParse(text);
  if (!parsed.success || parsed.data < 0) throw new InvalidArgumentError(`Expected ${duration.expected}.`);
  return parsed.data;
}
