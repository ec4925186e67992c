/**
 * Why a payload was refused:
 * - `missing-field`: a required field is absent or null
 * - `bad-field`: a field has the wrong type, length or value
 * - `unknown-field`: a field that this version does not know, and so cannot keep
 * - `missing-beacon-root`: the envelope has no `parentBeaconBlockRoot`
 */
export type PayloadErrorCode = 'missing-field' | 'bad-field' | 'unknown-field' | 'missing-beacon-root';

/** An envelope, JSON or SSZ, that is not a valid payload. The message needs no context. */
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
