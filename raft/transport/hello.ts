import type { NodeId } from '../core/configuration.js';
import { Connection } from './connection.js';
import { Dial, type DialOptions } from './dial.js';
import { FrameError, TransportError } from './errors.js';
import { parseHostPort } from './host-port.js';
import { PeerFailureError } from './peer-failure.js';
import {
  commonVersion,
  isWireVersions,
  versionsText,
  WIRE_VERSIONS,
  type WireVersions,
} from './wire-versions.js';

export const HELLO_PATH = '/raft/v1/hello';

/** What a node says about itself; `Extra` in `askHello` is what its `hello` handler adds. */
export interface HelloAnswer {
  nodeId: NodeId;
  clusterId: string | null;
  incarnation: string;
  bootId: string;
  /** The newest version that it speaks, and the oldest. */
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
  dialOptions: DialOptions,
  signal: AbortSignal,
): Promise<HelloAnswer & Extra> {
  let dial: Dial | undefined;
  let connection: Connection | undefined;
  const abort = (): void => {
    dial?.abort();
    connection?.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const to = parseHostPort(address);
    if (!to) throw new TransportError('unreachable', address, 'it is not of the form host:port');
    dial = new Dial(to, dialOptions);
    const socket = await dial.socket;
    connection = new Connection(socket, 1);
    const { status, body } = await connection.get(HELLO_PATH);
    const answer = parse(body) as (HelloAnswer & Extra) | undefined;
    if (status === 200 && typeof answer?.incarnation === 'string') {
      const objection = dialOptions.secure?.objection(socket, answer.nodeId);
      if (objection === undefined) return answer;
      throw new TransportError('refused', address, objection);
    }
    throw new TransportError(
      'refused',
      address,
      `no Baton there: ${status} ${body.toString('utf8', 0, 200)}`,
    );
  } catch (error) {
    if (error instanceof TransportError) throw error;
    const { message } = error as Error;
    const failure = error instanceof PeerFailureError ? { failure: error.failure } : {};
    const options = { cause: error, ...failure };
    if (!signal.aborted) throw new TransportError('unreachable', address, message, options);
    const detail = failure.failure === undefined ? 'no answer in time' : `no answer in time: ${message}`;
    throw new TransportError('timeout', address, detail, options);
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
