/** What an operator can do about it, by code; docs/ERRORS.md has the same list. */
const REMEDIES = {
  usage: 'see baton --help',
  failed: 'look at what is said above',
};

export type CommandErrorCode = keyof typeof REMEDIES;

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
