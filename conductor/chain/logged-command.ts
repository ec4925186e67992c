import type { ChainState, CommittedBlock, CommittedHead, Verdict } from './chain-state.js';
import { decodeCommand } from './log-command.js';
import type { ResetRequest } from './reset.js';

/** A command of the log without its payload, which stays in the log. */
export type LoggedCommand =
  { block: CommittedBlock; replacesHead: string | undefined } | { reset: ResetRequest; logIndex: number };

/** @throws StorageError `newer-format` */
export function readCommand(data: Uint8Array, logIndex: number): LoggedCommand {
  const command = decodeCommand(data);
  if (command.reset) return { reset: command.reset, logIndex };
  const { payload, replacesHead } = command;
  return { block: { ...payload.ref, logIndex, byteLength: payload.ssz.length }, replacesHead };
}

/** Applies a committed command. */
export function applyTo(chain: ChainState, command: LoggedCommand): Verdict {
  return 'reset' in command
    ? chain.applyReset(command.reset, command.logIndex)
    : chain.apply(command.block, command.replacesHead);
}

/** The head after the command, if the command has an effect. */
export function headOf(command: LoggedCommand): CommittedHead {
  return 'reset' in command ? { ...command.reset.to, logIndex: command.logIndex } : command.block;
}
