import type { NodeId } from '../../core/configuration.js';
import type { CoreContext } from '../../core/context.js';
import type { EntryKind } from '../../core/entries.js';
import type { Input } from '../../core/inputs.js';
import type { Message } from '../../core/messages.js';
import type { Output, Role } from '../../core/outputs.js';
import type { HardState } from '../../core/stored-state.js';
import { quorumsOf, votersOf } from '../checks/quorums.js';

export interface LogEntry {
  index: number;
  term: number;
  kind: EntryKind;
  /** Stands for the content and everything before it. */
  hash: number;
}

/** The state of a server as in the paper (fig. 2), copied from a core. Nothing here is shared with the core. */
export interface Server {
  id: NodeId;
  currentTerm: number;
  votedFor: NodeId | null;
  role: Role;
  leader: NodeId | null;
  /** What precedes the log: index, term and hash at the end of the snapshot. */
  base: { index: number; term: number; hash: number };
  log: readonly LogEntry[];
  commitIndex: number;
  /** All voters. */
  voters: readonly NodeId[];
  /**
   * Sets of voters that must each supply a majority: two in a joint configuration (Raft thesis §4.3), the new one first.
   */
  quorums: readonly (readonly NodeId[])[];
  configurationIndex: number;
  /** It knows that its disk lost what it had confirmed, and no longer votes. */
  abstains: boolean;
  /** The transfers of a term's leader that are over and release nobody from loyalty to it. */
  transfersEnded(term: number): number;
}

/** What the paper says about a disk. */
export interface Disk {
  readonly hardState: HardState;
  readonly snapshotIndex: number;
  /** Chain hash at `index`; undefined when the disk cannot tell. */
  hashAt(index: number): number | undefined;
}

/** One step of one server. */
export interface Transition {
  before: Server;
  after: Server;
  input: Input;
  outputs: readonly Output[];
  sent: readonly { to: NodeId; message: Message }[];
  /** What a crash would leave. */
  disk: Disk;
  electionTimeoutMs: number;
}

export function look(id: NodeId, ctx: CoreContext): Server {
  const { log } = ctx;
  const entries: LogEntry[] = [];
  for (let index = log.snapshotIndex + 1; index <= log.lastIndex; index++) {
    const entry = log.get(index);
    if (!entry) throw new Error(`${id} has a gap at ${index}`);
    entries.push({ index: entry.index, term: entry.term, kind: entry.kind, hash: entry.chainHash });
  }
  const { index: configurationIndex, configuration } = ctx.configurations.latest;
  const ended = { [ctx.term]: ctx.transfersEnded(ctx.term) };
  return {
    id,
    currentTerm: ctx.term,
    votedFor: ctx.votedFor,
    role: ctx.role,
    leader: ctx.leader,
    base: {
      index: log.snapshotIndex,
      term: log.termAt(log.snapshotIndex) ?? NaN,
      hash: log.hashAt(log.snapshotIndex) ?? NaN,
    },
    log: entries,
    commitIndex: ctx.commit,
    voters: votersOf(configuration).map((member) => member.id),
    quorums: quorumsOf(configuration).map((voters) => voters.map((member) => member.id)),
    configurationIndex,
    abstains: ctx.reverted,
    transfersEnded: (term) => ended[term] ?? 0,
  };
}

export const lastIndexOf = ({ base, log }: Server): number => base.index + log.length;
export const lastTermOf = ({ base, log }: Server): number => log.at(-1)?.term ?? base.term;

export function entryAt({ base, log }: Server, index: number): Pick<LogEntry, 'term' | 'hash'> | undefined {
  return index === base.index ? base : log[index - base.index - 1];
}

/** "Up-to-date" (Raft paper §5.4.1): the later last term; of equal terms, the longer log. */
export function isAtLeastAsUpToDate(
  candidate: { lastTerm: number; lastIndex: number },
  voter: Server,
): boolean {
  if (candidate.lastTerm !== lastTermOf(voter)) return candidate.lastTerm > lastTermOf(voter);
  return candidate.lastIndex >= lastIndexOf(voter);
}

export function isMajorityOf({ quorums }: Server, agrees: (id: NodeId) => boolean): boolean {
  return quorums.every((voters) => 2 * voters.filter(agrees).length > voters.length);
}

export const isJoint = ({ quorums }: Server): boolean => quorums.length > 1;
