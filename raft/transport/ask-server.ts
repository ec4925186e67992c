import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { NodeId } from '../core/configuration.js';
import type { Admission } from './admission.js';
import { ASK_BYTES_MAX, ASK_MS_MAX, ASK_PATH, type AskBody } from './ask.js';
import { FrameError } from './errors.js';
import type { FrameAddress } from './frame.js';
import { notCounted, type Standing } from './peer-identities.js';
import type { PeerProofs } from './security/peer-proof.js';

/** Answers a member's request; the application alone reads its contents. @param from the member that asks */
export type AnswerMember = (request: unknown, from: NodeId) => Promise<object>;

export interface AskServerOptions {
  admission: Admission;
  proofs: PeerProofs;
  /** Refuses by the headers, as a frame is refused. */
  admit: (request: FastifyRequest, reply: Parameters<onRequestAsyncHookHandler>[1]) => Promise<void>;
  /** Whether the requesting process counts. */
  standing: (
    asker: Pick<FrameAddress, 'from' | 'fromIncarnation' | 'bootId'>,
  ) => Standing | Promise<Standing>;
  answer: AnswerMember;
}

/** Most requests of one member under way at once. */
const UNDER_WAY_MAX = 8;
/** The member's own deadline comes first. */
const SILENT_MS_MAX = ASK_MS_MAX + 5000;

/** Serves requests of members that concern the application alone. Like frames, they are admitted from members only. */
export function serveAsks(app: FastifyInstance, options: AskServerOptions): void {
  const { admission, proofs, standing, answer } = options;
  const underWay = new Map<NodeId, number>();
  const onRequest = async (
    request: FastifyRequest,
    reply: Parameters<onRequestAsyncHookHandler>[1],
  ): Promise<void> => {
    await options.admit(request, reply);
    const length = Number(request.headers['content-length']);
    if (length > ASK_BYTES_MAX) {
      throw new FrameError('malformed', `a request of ${length} bytes; ${ASK_BYTES_MAX} are the most`);
    }
  };
  app.post(ASK_PATH, { onRequest, bodyLimit: ASK_BYTES_MAX }, async ({ body, socket }) => {
    const { request, ...asker } = askIn(body);
    const { from } = asker;
    const objection = proofs.objection(socket, from);
    if (objection !== undefined) throw new FrameError('wrong-sender', objection);
    admission.checkAsker(asker);
    const judged = await standing(asker);
    if (judged !== 'counts') throw notCounted(asker, judged);
    const before = underWay.get(from) ?? 0;
    if (before >= UNDER_WAY_MAX) {
      throw new FrameError('too-many-requests', `${from} waits for ${before} answers already`);
    }
    // Longer than the timeout that closes an idle connection: the answer may take some time.
    socket.setTimeout(SILENT_MS_MAX);
    underWay.set(from, before + 1);
    try {
      return await answer(request, from);
    } finally {
      const left = (underWay.get(from) ?? 1) - 1;
      if (left === 0) underWay.delete(from);
      else underWay.set(from, left);
    }
  });
}

function askIn(body: unknown): AskBody {
  const { from, fromIncarnation, bootId, to, request } = (body ?? {}) as Record<string, unknown>;
  const isText = (value: unknown): value is string => typeof value === 'string';
  if (isText(from) && isText(fromIncarnation) && isText(bootId) && isText(to)) {
    return { from, fromIncarnation, bootId, to, request };
  }
  throw new FrameError('malformed', 'a request that does not say who asks whom');
}
