import type { ChainState, CommittedBlock, CommittedHead, Verdict } from './chain-state.js';
import { decodeChainCommand, decodeCommand, type ChainCommand } from './log-command.js';
import type { ClusterRecord } from './record.js';
import type { ResetRequest } from './reset.js';

/** A command that concerns the chain, without its payload, which stays in the log. */
export type LoggedChainCommand =
  { block: CommittedBlock; replacesHead: string | undefined } | { reset: ResetRequest; logIndex: number };

/** A record of the log. */
export interface LoggedRecord {
  record: ClusterRecord;
  logIndex: number;
}

/** Any command of the log. */
export type LoggedCommand = LoggedChainCommand | LoggedRecord;

/** @throws StorageError `newer-format` */
export function readCommand(data: Uint8Array, logIndex: number): LoggedCommand {
  const command = decodeCommand(data);
  return command.record ? { record: command.record, logIndex } : logged(command, logIndex);
}

/** @throws StorageError `newer-format`, also for a command that does not concern the chain */
export function readChainCommand(data: Uint8Array, logIndex: number): LoggedChainCommand {
  return logged(decodeChainCommand(data), logIndex);
}

function logged(command: ChainCommand, logIndex: number): LoggedChainCommand {
  if (command.reset) return { reset: command.reset, logIndex };
  const { payload, replacesHead } = command;
  return { block: { ...payload.ref, logIndex, byteLength: payload.ssz.length }, replacesHead };
}

/** Applies a committed command to the chain. */
export function applyTo(chain: ChainState, command: LoggedChainCommand): Verdict {
  return 'reset' in command
    ? chain.applyReset(command.reset, command.logIndex)
    : chain.apply(command.block, command.replacesHead);
}

/** What the command makes the head, if it has its effect. */
export function headOf(command: LoggedChainCommand): CommittedHead {
  return 'reset' in command ? { ...command.reset.to, logIndex: command.logIndex } : command.block;
}

/** Where the command is in the log. */
export function logIndexOf(command: LoggedCommand): number {
  return 'block' in command ? command.block.logIndex : command.logIndex;
}
