/** What an operator can do about it, by code; docs/ERRORS.md has the same list. */
const REMEDIES = {
  usage: 'see baton --help',
  'no-answer':
    "give the RPC address of a conductor that runs, with --rpc or BATON_RPC (op-node's is another)",
  'no-rpc-address': 'give it with --rpc, or run the command on that node',
  'not-a-member': 'baton status shows the members',
  'not-a-voter': 'baton status shows who votes; a member without a vote is removed and another added',
  'unfit-target': 'repair it first, or repeat with --force',
  'would-lose-quorum': 'bring the other voters back first, or repeat with --force',
  'leader-exists': 'use baton transfer; an override is for a cluster without a quorum (--force for all that)',
  refused: 'the answer says why; docs/ERRORS.md has a remedy for each',
  incomplete: 'repair the members that are named, then repeat: what is done already stays done',
  deadline: 'look at baton status; the command can be repeated, or given more time with --deadline',
  interrupted: 'what was asked for may still happen: look at baton status',
  unhealthy: 'docs/RUNBOOK.md goes from here',
  damaged: 'see what is said of each check, and "a directory does not open" in docs/RUNBOOK.md',
  storage: 'see docs/ERRORS.md, storage',
  unconfirmed: 'read what it would do, then repeat with --yes',
};

type CommandErrorCode = keyof typeof REMEDIES;

/** A command failed: the process prints message and remedy, and exits with 1 (2 for `usage`). */
export class CommandError extends Error {
  readonly remedy: string;

  /**
   * @param message what is wrong, with names and numbers
   * @param remedy what to do about it, where that is more than the code tells
   */
  constructor(
    readonly code: CommandErrorCode,
    message: string,
    remedy?: string,
  ) {
    super(message);
    this.name = 'CommandError';
    this.remedy = remedy ?? REMEDIES[code];
  }
}
