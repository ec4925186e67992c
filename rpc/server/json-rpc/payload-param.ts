import type { Param } from './method-table.js';
import { ArgumentError } from './method-table.js';
import { decodeEnvelope } from '../../payload/decode-envelope.js';
import { PayloadError } from '../../payload/payload-error.js';
import type { UnsafePayload } from '../../payload/unsafe-payload.js';
import { RpcError } from './rpc-error.js';

/**
 * Decoded before the conductor sees the call: a follower reports a bad payload as bad, like op-conductor.
 * Optional, because op-conductor crashes on an absent or null payload and the decoder names what is missing.
 */
export const payloadParam: Param<UnsafePayload> = {
  optional: true,
  decode: (value) => {
    try {
      return decodeEnvelope(value);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      if (error.code !== 'missing-beacon-root') throw new ArgumentError(error.message, error.code);
      throw new RpcError(`failed to marshal payload envelope: ${error.message}`, { reason: error.code });
    }
  },
};
