const REJOIN =
  'Stop the node, move the directory away and let the node join again as a new member; never copy the directory of another node.';

/** What an operator can do, by code. */
const REMEDIES = {
  'wrong-node': 'Point the node at its own directory, or restore its old server id.',
  'wrong-cluster': 'A node belongs to one cluster for life: to move it, start it on an empty directory.',
  'newer-format':
    'A newer release wrote this, and there is no way back: run that release, or start on an empty directory and add the node again.',
  'older-format':
    'A release reads what the one before it wrote: start each release in between once, or start on an empty directory and add the node again.',
  'foreign-database': 'Point the node at its own directory.',
  'unusable-directory':
    'Give --raft.storage.dir a path where this user may create directories, or create the directory for it.',
  'no-database': 'Check the path: the directory is that of --raft.storage.dir.',
  'not-recoverable':
    'Recover the directory of a node that was a member, and give its address if that changed.',
  'damaged-database': REJOIN,
  'damaged-identity': REJOIN,
  'damaged-manifest': REJOIN,
  'damaged-header': REJOIN,
  'damaged-entry': REJOIN,
  'damaged-snapshot': REJOIN,
  'missing-entry': REJOIN,
  'chain-mismatch': REJOIN,
  'term-mismatch': REJOIN,
  'lost-write': `The disk lost a write that it had confirmed. ${REJOIN}`,
  locked: 'Stop the other process that uses this directory.',
  io: 'Check the disk (space, permissions, hardware), then start the node again.',
  hung: 'The disk does not answer: check the volume and its host, then start the node again.',
  'invalid-write': 'This is a bug: report it with the log of the node.',
  'concurrent-write': 'This is a bug: report it with the log of the node.',
  'not-in-log': 'Read entries that the log still holds, or the snapshot.',
  'not-open': 'Open the storage first.',
} as const;

export type StorageErrorCode = keyof typeof REMEDIES;

/** What storage refuses or could not do, with the facts (`metadata`) and what helps (`remedy`). */
export class StorageError extends Error {
  readonly code: StorageErrorCode;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly remedy: string;

  constructor(
    code: StorageErrorCode,
    seen: string,
    metadata: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(`${seen}. ${REMEDIES[code]}`, options);
    this.name = 'StorageError';
    this.code = code;
    this.metadata = metadata;
    this.remedy = REMEDIES[code];
  }
}

/** False for refusals of a healthy storage: another cluster, or entries that were compacted meanwhile. */
export function isDiskFailure(error: unknown): error is StorageError {
  return error instanceof StorageError && error.code !== 'wrong-cluster' && error.code !== 'not-in-log';
}
