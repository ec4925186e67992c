/**
 * Why a payload was refused:
 * - `missing-field`: a field that the block cannot do without is absent or null
 * - `bad-field`: a field has the wrong type, length or value
 * - `unknown-field`: a field that this version does not know, and so cannot keep
 * - `missing-beacon-root`: the envelope has no `parentBeaconBlockRoot`
 */
export type PayloadErrorCode = 'missing-field' | 'bad-field' | 'unknown-field' | 'missing-beacon-root';

/** An envelope, JSON or SSZ, that is no payload. The message needs no context to be understood. */
export class PayloadError extends Error {
  constructor(
    readonly code: PayloadErrorCode,
    /** Path of the field, such as `executionPayload.gasLimit`. */
    readonly field: string,
    message: string,
  ) {
    super(message);
    this.name = 'PayloadError';
  }
}
