import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Hex } from 'viem';
import { z } from 'zod';
import type { BlockRef } from './chain-check.js';
import type { SequencerNode } from './node.js';

/** A block whose commit was answered with success. From then on its op-node may publish it. */
export interface Acknowledgement extends BlockRef {
  /** Name of the node whose op-node got the answer. */
  node: string;
  /** Monotonic time of the answer. */
  atMs: number;
}

/** The addresses of both sides of a node's witness. */
type Watched = Pick<SequencerNode, 'name' | 'witnessUrl' | 'conductorUrl'>;

const hex = z.string().transform((text) => text as Hex);
const commitCall = z.object({
  method: z.literal('conductor_commitUnsafePayload'),
  params: z.tuple([
    z.object({ executionPayload: z.object({ blockNumber: hex, blockHash: hex, parentHash: hex }) }),
  ]),
});

/**
 * A proxy between every op-node and its conductor, which records the blocks whose commit was requested or acknowledged. The
 * execution clients cannot tell that: a block may be acknowledged and die with its node before any client has it.
 */
export class CommitWitness {
  /** In order of time. */
  readonly acknowledged: Acknowledgement[] = [];
  private readonly broughtHashes = new Set<Hex>();

  /** @param noted is told of each acknowledgement */
  constructor(private readonly noted: (acknowledgement: Acknowledgement) => void) {}

  /** Whether some op-node requested this block's commit, with any answer. */
  wasBrought(hash: Hex): boolean {
    return this.broughtHashes.has(hash);
  }

  /** This block was built without a conductor, as it should be. */
  excuse(hash: Hex): void {
    this.broughtHashes.add(hash);
  }

  /** Listens at the node's `witnessUrl`, until the process ends or what it returns is called. */
  async watch(node: Watched): Promise<() => void> {
    const server = createServer((question, answer) => {
      this.passOn(node, question, answer).catch(() => answer.destroy());
    });
    // op-node does not repeat a commit on a connection that was closed as idle.
    server.keepAliveTimeout = 0;
    const { hostname, port } = new URL(node.witnessUrl);
    server.listen(Number(port), hostname);
    await once(server, 'listening');
    return () => server.close().closeAllConnections();
  }

  private async passOn(node: Watched, question: IncomingMessage, answer: ServerResponse): Promise<void> {
    // As without a proxy: a conductor learns that its caller has hung up, and a caller gets no answer.
    const gone = new AbortController();
    answer.once('close', () => gone.abort());
    const call = await buffer(question);
    const block = committedBy(call);
    if (block) this.broughtHashes.add(block.hash);
    const passed = request(node.conductorUrl + (question.url ?? '/'), {
      method: question.method ?? 'POST',
      headers: { ...question.headers, host: new URL(node.conductorUrl).host, connection: 'close' },
      signal: gone.signal,
    });
    passed.end(call);
    const [reply] = (await once(passed, 'response')) as [IncomingMessage];
    const text = await buffer(reply);
    if (gone.signal.aborted) return;
    if (block && isSuccess(reply, text)) this.note({ ...block, node: node.name, atMs: performance.now() });
    answer.writeHead(reply.statusCode ?? 502, {
      'content-type': reply.headers['content-type'] ?? 'application/json',
    });
    answer.end(text);
  }

  private note(acknowledgement: Acknowledgement): void {
    this.acknowledged.push(acknowledgement);
    this.noted(acknowledgement);
  }
}

/** The block whose commit a call asks for. */
function committedBy(call: Buffer): BlockRef | undefined {
  if (!call.includes('conductor_commitUnsafePayload')) return undefined;
  const { executionPayload } = commitCall.parse(JSON.parse(call.toString())).params[0];
  const { blockNumber, blockHash, parentHash } = executionPayload;
  return { number: Number(blockNumber), hash: blockHash, parentHash };
}

function isSuccess({ statusCode }: IncomingMessage, text: Buffer): boolean {
  return statusCode === 200 && !Object.hasOwn(JSON.parse(text.toString()) as object, 'error');
}
