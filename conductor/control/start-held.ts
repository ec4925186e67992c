import type { EmptyLogCode } from './empty-log.js';

/**
 * - `conductor-disabled`: op-node would publish without asking its conductor.
 * - `clients-leaving`: L1 replaced blocks, and the clients are about to leave the committed chain.
 */
export type StartHeldCode = EmptyLogCode | 'conductor-disabled' | 'clients-leaving';

/** The sequencer must not be started yet. Nothing has failed, and the attempts continue. */
export class StartHeldError extends Error {
  override readonly name = 'StartHeldError';
  constructor(
    readonly code: StartHeldCode,
    message: string,
  ) {
    super(message);
  }
}

/** The sequencer must not be started here: another member must lead. */
export class StartElsewhereError extends Error {
  override readonly name = 'StartElsewhereError';
  constructor(
    readonly to: string,
    message: string,
  ) {
    super(message);
  }
}
