import type { HttpAnswer, HttpRequest } from './send-http.js';
import { readJsonLines } from './shared-data.js';

/** One exchange of rpc.jsonl, ready to be sent to our server. */
export interface RecordedCall {
  group: string;
  name: string;
  to: 'leader' | 'follower';
  request: HttpRequest;
  /** `connection` instead of the rest where the connection broke. */
  response: Partial<HttpAnswer> & { connection?: string; bodyCut?: number };
}

interface RawCall extends Omit<RecordedCall, 'request'> {
  request: Omit<HttpRequest, 'body'> & { body: string | { generated: string; length: number } | null };
}

/** The names that FakeConductor gives to the servers of the recording. */
const PLACEHOLDERS: Record<string, string> = Object.fromEntries(
  ['leader', 'follower', 'other'].flatMap((name) => [
    [`{${name}.id}`, `${name}-id`],
    [`{${name}.raft}`, `${name}:50050`],
  ]),
);

/** Reads rpc.jsonl with placeholders filled in and described bodies written out. */
export function readRpcRecording(): RecordedCall[] {
  return readJsonLines<RawCall>('recordings/rpc.jsonl').map((call) => {
    const { body } = call.request;
    const written = typeof body === 'object' && body !== null ? generate(body.generated, body.length) : body;
    return {
      ...call,
      request: { ...call.request, body: written && fill(written) },
      response: {
        ...call.response,
        ...(call.response.body !== undefined && { body: fill(call.response.body) }),
      },
    };
  });
}

function fill(text: string): string {
  return text.replace(/\{(?:leader|follower|other)\.(?:id|raft)\}/g, (placeholder) => {
    return PLACEHOLDERS[placeholder] ?? placeholder;
  });
}

function generate(kind: string, length: number): string {
  const head = '{"jsonrpc":"2.0","id":1,"method":"conductor_leader","params":';
  if (kind === 'batch of 1500') {
    const entries = Array.from(
      { length: 1500 },
      (_, id) => `{"jsonrpc": "2.0", "id": ${id}, "method": "conductor_paused"}`,
    );
    return `[${entries.join(', ')}]`;
  }
  if (kind === 'nested 12000 deep') return `${head}${'['.repeat(12_001)}${']'.repeat(12_001)}}`;
  const tail = '"]}';
  return `${head}["${'x'.repeat(length - head.length - 2 - tail.length)}${tail}`;
}
