import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConductorApi } from './conductor-api.js';
import type { CallReport } from './json-rpc/call-report.js';
import { RemoteCaller } from './json-rpc/caller.js';
import type { AddRoutes } from './json-rpc/http-server.js';
import { METHODS } from './json-rpc/http-server.js';
import { sendText } from '../../common/send-text.js';
import { decodeSsz } from '../payload/decode-ssz.js';
import { PayloadError } from '../payload/payload-error.js';
import { HEADROOM_BYTES, type UnsafePayload } from '../payload/unsafe-payload.js';
import { RpcCode, RpcError } from './json-rpc/rpc-error.js';

/** Name of these commits in `CallReport`s. */
const BINARY_COMMIT = 'commit-unsafe-payload';

const PATH = '/commit-unsafe-payload';
const CONTENT_TYPE = 'application/octet-stream';

interface BinaryCommitOptions {
  commit: ConductorApi['commitUnsafePayload'];
  bodyLimitBytes: number;
  onCall?: ((report: CallReport) => void) | undefined;
}

/**
 * `POST /commit-unsafe-payload`: the SSZ envelope as body, an empty 200 as answer, for clients such as base's node
 * (docs/reference/op-conductor.md §2.5). The bytes are checked and go into the log unchanged. Errors are plain text:
 * 400 for a body that is not a payload, which changes nothing, and 500 with the same text as in JSON-RPC.
 */
export function binaryCommit(options: BinaryCommitOptions): AddRoutes {
  return (app: FastifyInstance, gate) => {
    app.route({
      url: PATH,
      method: METHODS,
      onRequest: async (request, reply) =>
        (await refuseByHeaders(request, reply, options.bodyLimitBytes)) ??
        gate.admit(request, reply, 'conductor_commitUnsafePayload'),
      handler: async (request, reply) => commit(request, reply, options),
      errorHandler: (error: FastifyError, _request, reply) => {
        const tooLarge = error.statusCode === 413;
        sendText(
          reply,
          error.statusCode ?? 400,
          tooLarge ? limitText(options.bodyLimitBytes) : `read body: ${error.message}`,
        );
      },
    });
  };
}

async function refuseByHeaders(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  bodyLimitBytes: number,
): Promise<FastifyReply | undefined> {
  if (method !== 'POST') return sendText(reply.header('allow', 'POST'), 405, 'method not allowed');
  const contentType = headers['content-type'] ?? '';
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== '' && mediaType !== CONTENT_TYPE) {
    return sendText(
      reply,
      415,
      `unsupported content-type ${JSON.stringify(contentType)}, want ${CONTENT_TYPE}`,
    );
  }
  // The same as no content type; fastify would refuse it.
  if (contentType === '') headers['content-type'] = CONTENT_TYPE;
  if (Number(headers['content-length'] ?? 0) > bodyLimitBytes) {
    return sendText(reply, 413, limitText(bodyLimitBytes));
  }
  return undefined;
}

async function commit(
  request: FastifyRequest,
  reply: FastifyReply,
  { commit: commitPayload, onCall }: BinaryCommitOptions,
): Promise<FastifyReply> {
  const startedMs = performance.now();
  const { gone } = new RemoteCaller(request.socket, reply.raw);
  let decodedMs: number | undefined;
  const report = (error?: RpcError): void => {
    const endedMs = performance.now();
    onCall?.({
      method: BINARY_COMMIT,
      durationMs: endedMs - startedMs,
      decodeMs: (decodedMs ?? endedMs) - startedMs,
      paramsBytes: Buffer.isBuffer(request.body) ? request.body.length : 0,
      resultBytes: 0,
      ...(error && { error }),
    });
  };
  try {
    if (!Buffer.isBuffer(request.body) || request.body.length === 0) {
      throw new RpcError('empty payload', { code: RpcCode.invalidParams, reason: 'missing-field' });
    }
    const payload = decode(request.body);
    decodedMs = performance.now();
    await commitPayload(payload, { gone });
    report();
    return reply.code(200).send();
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    report(error);
    return sendText(reply, error.code === RpcCode.invalidParams ? 400 : 500, error.message);
  }
}

function decode(body: Buffer): UnsafePayload {
  try {
    const payload = decodeSsz(body);
    // A body of unknown length was read into more memory than it needs, which the log must not keep.
    const isExact = body.buffer.byteLength === HEADROOM_BYTES + body.length;
    return isExact ? { ...payload, headroomBytes: HEADROOM_BYTES } : payload;
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    throw new RpcError(`invalid payload: ${error.message}`, {
      code: RpcCode.invalidParams,
      reason: error.code,
    });
  }
}

function limitText(bodyLimitBytes: number): string {
  return `payload too large: the limit is ${bodyLimitBytes} bytes`;
}
