import { readFileSync } from 'node:fs';
import { readJsonLines } from '../../../common/testing/fixtures.js';
import type { HttpAnswer, HttpRequest } from './send-http.js';

/** One exchange of rpc.jsonl, ready to be sent to our server. */
export interface RecordedCall {
  group: string;
  name: string;
  to: 'leader' | 'follower';
  request: HttpRequest;
  /** `connection` instead of the rest if the connection broke. */
  response: Partial<HttpAnswer> & { connection?: string; bodyCut?: number };
}

interface RawCall extends Omit<RecordedCall, 'request'> {
  request: Omit<HttpRequest, 'body'> & { body: string | { generated: string; length: number } | null };
}

/** A server that plays the part of one in the recording. */
export interface Place {
  id: string;
  /** Consensus address. */
  raft: string;
}

/** The servers behind the placeholders `{leader.id}`, `{leader.raft}`, `{follower.id}`, … of the recording. */
export class Places {
  readonly #texts: [placeholder: string, text: string][];

  /** A place without an id: the recording has its own name for that server. */
  constructor(places: Record<string, Partial<Place>>) {
    this.#texts = Object.entries(places).flatMap(([name, place]) =>
      (['raft', 'id'] as const).flatMap((member): [string, string][] => {
        const text = place[member];
        return text === undefined ? [] : [[`{${name}.${member}}`, text]];
      }),
    );
  }

  /** Replaces placeholders by ids and addresses. */
  fill(text: string): string {
    return this.#texts.reduce((filled, [placeholder, real]) => filled.replaceAll(placeholder, real), text);
  }

  /** Replaces ids and addresses by placeholders. */
  blank(text: string): string {
    return this.#texts.reduce((blanked, [placeholder, real]) => blanked.replaceAll(real, placeholder), text);
  }
}

/** The servers that FakeConductor knows. */
const fakePlaces = new Places(
  Object.fromEntries(
    ['leader', 'follower', 'other'].map((name) => [name, { id: `${name}-id`, raft: `${name}:50050` }]),
  ),
);

/** Reads rpc.jsonl with described bodies written out, and placeholders filled in only in the requests. */
export function readRpcRecording(places = fakePlaces): RecordedCall[] {
  return readJsonLines<RawCall>('recordings/rpc.jsonl').map((call) => {
    const { body } = call.request;
    const written = typeof body === 'object' && body !== null ? generate(body.generated, body.length) : body;
    return { ...call, request: { ...call.request, body: written && places.fill(written) } };
  });
}

/**
 * A recorded call that we answer differently on purpose. `answer` has placeholders for ids and addresses; it is
 * `connection` if there is none.
 */
export interface Difference {
  group: string;
  name: string;
  to: RecordedCall['to'];
  answer: HttpAnswer;
  why: string;
}

/** The one reviewed list of all differences. */
export const differences = JSON.parse(
  readFileSync(new URL('../testdata/differences.json', import.meta.url), 'utf8'),
) as Difference[];

/** Our answer that differs from the recorded one. @param places the servers that gave it */
export function deviation(
  { response }: RecordedCall,
  { status, contentType, body }: HttpAnswer,
  places = fakePlaces,
): HttpAnswer | undefined {
  const blanked = normal(places.blank(body));
  const sameBody =
    response.bodyCut === undefined
      ? blanked === normal(response.body ?? '')
      : blanked.length === response.bodyCut && blanked.startsWith(response.body ?? '');
  if (status === response.status && contentType === response.contentType && sameBody) return undefined;
  return { status, contentType, body: blanked };
}

/** Levels the one value that differs between any two clusters: the index of the newest configuration. */
function normal(body: string): string {
  return (
    body
      .replace(/"version":\d+/g, '"version":0')
      .replace(/\(latest is \d+\)/g, '(latest is 0)')
      // A pointer of one process.
      .replace(/ 0x[0-9a-f]{12}"/, ' 0x000000000000"')
  );
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
