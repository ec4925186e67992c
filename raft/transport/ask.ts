import { Connection } from './connection.js';
import type { Dial } from './dial.js';
import { TransportError } from './errors.js';
import type { FrameAddress } from './frame.js';
import { PeerFailureError } from './peer-failure.js';

export const ASK_PATH = '/raft/v1/ask';
/** Largest body, in both directions. */
export const ASK_BYTES_MAX = 64 * 1024;
/** From the first attempt to connect to the end of the answer; callers may set a shorter deadline. */
export const ASK_MS_MAX = 60_000;

/** The body of a request of the application, as JSON. Cluster, disk and wire version are in the headers, as beside a frame. */
export interface AskBody extends Pick<FrameAddress, 'from' | 'fromIncarnation' | 'bootId' | 'to'> {
  request: unknown;
}

interface AskOptions {
  peer: string;
  dial: () => Dial;
  /** As in the headers of frames. */
  headers: readonly string[];
  body: AskBody;
  signal: AbortSignal;
}

/**
 * Asks a member something that concerns the application alone, on its own connection, so that no message waits for it.
 *
 * @throws TransportError, which says by `hadNoEffect` when the peer certainly did not act on it
 */
export async function ask({ peer, dial, headers, body, signal }: AskOptions): Promise<object> {
  const bytes = Buffer.from(JSON.stringify(body));
  if (bytes.length > ASK_BYTES_MAX) {
    const detail = `a request of ${bytes.length} bytes; ${ASK_BYTES_MAX} are the most`;
    throw new TransportError('refused', peer, detail, { hadNoEffect: true });
  }
  let dialled: Dial | undefined;
  let connection: Connection | undefined;
  let isOverdue = false;
  let isSent = false;
  const abort = (): void => {
    isOverdue = true;
    dialled?.abort();
    connection?.destroy();
  };
  const timer = setTimeout(abort, ASK_MS_MAX);
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) throw new TransportError('timeout', peer, 'not asked in time', { hadNoEffect: true });
    dialled = dial();
    connection = new Connection(await dialled.socket, 1);
    isSent = true;
    const answer = await connection.post(ASK_PATH, ['content-type', 'application/json', ...headers], [bytes]);
    return read(peer, answer);
  } catch (error) {
    if (error instanceof TransportError) throw error;
    const { message } = error as Error;
    const failure = error instanceof PeerFailureError ? { failure: error.failure } : {};
    throw new TransportError(
      isOverdue ? 'timeout' : 'unreachable',
      peer,
      isOverdue && isSent ? 'no answer in time' : message,
      { cause: error, hadNoEffect: !isSent, ...failure },
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    connection?.destroy();
  }
}

function read(peer: string, { status, body }: { status: number; body: Buffer }): object {
  const text = body.toString('utf8');
  const said = parse(text);
  if (status === 200 && said !== undefined) return said;
  const detail = `${status} ${text.slice(0, 500)}`;
  if (status === 404) throw new TransportError('unknown-request', peer, detail, { hadNoEffect: true });
  // A handler that failed may have acted before.
  if (status === 200 || status >= 500) throw new TransportError('unanswered', peer, detail);
  throw new TransportError('refused', peer, detail, { refusal: said ?? {}, hadNoEffect: true });
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
