import { StorageError } from '../../raft/index.js';

/** The node could not start or go on. */
const EXIT_FATAL = 1;

/**
 * Ends this process for good, with code 1 where that is possible. An orderly exit waits for the threads of libuv: while one of them waits for a
 * hung disk, the process would stay, with its ports bound. Then it is killed instead.
 */
export function endProcess(error: Error): void {
  const isStuck = error instanceof StuckError || (error instanceof StorageError && error.code === 'hung');
  if (isStuck) process.kill(process.pid, 'SIGKILL');
  else process.exit(EXIT_FATAL);
}

/** Something did not end that should have. */
export class StuckError extends Error {
  override readonly name = 'StuckError';
}
