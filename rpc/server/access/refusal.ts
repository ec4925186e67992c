/** Why a call was refused: no credential, an unknown one, or one whose roles are not enough. */
export const REFUSAL_CAUSES = ['no-credential', 'unknown-credential', 'role-missing'] as const;

export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

/** A refused call. */
export interface Refusal {
  readonly cause: RefusalCause;
  /** Address of the client, without its port. */
  readonly address: string;
  /** Name of the holder; undefined while the caller is unknown. */
  readonly holder: string | undefined;
  /** JSON-RPC method or path. */
  readonly what: string;
  /** The address was refused so often that this refusal needs no line of its own in a log. */
  readonly isOneOfMany: boolean;
}
