/** Why a call was refused: no credential, one that nobody has been given, or one whose roles do not suffice. */
export const REFUSAL_CAUSES = ['no-credential', 'unknown-credential', 'role-missing'] as const;

export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

/** A call that was refused. */
export interface Refusal {
  readonly cause: RefusalCause;
  /** Address of the client, without its port. */
  readonly address: string;
  /** Name of the holder; undefined while it is not known who calls. */
  readonly holder: string | undefined;
  /** JSON-RPC method or path. */
  readonly what: string;
  /** The address was refused so often that this one needs no line of its own in a log. */
  readonly isOneOfMany: boolean;
}
