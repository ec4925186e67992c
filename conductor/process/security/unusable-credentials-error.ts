/** A file of certificates, keys or holders that the process needs to start, but cannot use. */
export class UnusableCredentialsError extends Error {
  readonly code = 'credential-file';
  readonly remedy: string;

  /**
   * @param flags the flags that name the files
   * @param cause the error from reading them; its message holds none of their content
   */
  constructor(
    readonly flags: readonly string[],
    readonly files: readonly string[],
    cause: Error,
  ) {
    super(`cannot use ${files.join(', ')}: ${cause.message}`, { cause });
    this.name = 'UnusableCredentialsError';
    this.remedy = `make the file readable for this process and correct it (${flags.map((flag) => `--${flag}`).join(', ')})`;
  }
}
