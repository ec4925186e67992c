import type { NodeId } from '../core/configuration.js';
import { Connection } from './connection.js';
import { FrameError, TransportError } from './errors.js';
import {
  commonVersion,
  isWireVersions,
  versionsText,
  WIRE_VERSIONS,
  type WireVersions,
} from './wire-versions.js';

export const HELLO_PATH = '/raft/v1/hello';

/** What a node says of itself; `Extra` in `askHello` is what its `hello` handler adds. */
export interface HelloAnswer {
  nodeId: NodeId;
  clusterId: string | null;
  incarnation: string;
  bootId: string;
  /** The newest that it speaks, and the oldest. */
  wireVersion: number;
  oldestWireVersion: number;
}

/** Why these two programs could not talk to each other; undefined if they can. */
export function wireProblem(
  { nodeId, ...peer }: Pick<HelloAnswer, 'nodeId' | 'wireVersion' | 'oldestWireVersion'>,
  own: WireVersions = WIRE_VERSIONS,
): string | undefined {
  const theirs = { oldest: peer.oldestWireVersion, newest: peer.wireVersion };
  if (isWireVersions(theirs) && commonVersion(own, theirs) !== undefined) return undefined;
  return new FrameError(
    'wrong-version',
    `${nodeId} speaks wire version ${versionsText(theirs)}, this node ${versionsText(own)}`,
  ).withRemedy;
}

/** Asks the node at any address who it is. @throws TransportError */
export async function askHello<Extra extends object>(
  address: string,
  signal: AbortSignal,
): Promise<HelloAnswer & Extra> {
  let connection: Connection | undefined;
  const abort = (): void => connection?.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    connection = new Connection(address, 1);
    const { status, body } = await connection.get(HELLO_PATH);
    const answer = parse(body) as (HelloAnswer & Extra) | undefined;
    if (status === 200 && typeof answer?.incarnation === 'string') return answer;
    throw new TransportError(
      'refused',
      address,
      `no Baton there: ${status} ${body.toString('utf8', 0, 200)}`,
    );
  } catch (error) {
    if (error instanceof TransportError) throw error;
    if (signal.aborted) throw new TransportError('timeout', address, 'no answer in time', { cause: error });
    throw new TransportError('unreachable', address, reasonOf(error), { cause: error });
  } finally {
    signal.removeEventListener('abort', abort);
    connection?.destroy();
  }
}

function parse(body: Buffer): { incarnation?: unknown } | undefined {
  try {
    return (JSON.parse(body.toString('utf8')) ?? undefined) as { incarnation?: unknown } | undefined;
  } catch {
    return undefined;
  }
}

/** True when every address of the host refused the connection: nobody listens there. */
export function isConnectionRefused(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string; errors?: { code?: string }[] } };
  const refused = (reason: { code?: string } | undefined): boolean => reason?.code === 'ECONNREFUSED';
  return cause?.errors ? cause.errors.every(refused) : refused(cause);
}

/** An AggregateError, for a name with several addresses, has an empty message. */
function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || String(error);
}
