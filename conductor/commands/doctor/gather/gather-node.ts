import { hideCredentials } from '../../../../common/endpoint.js';
import { rpcFailure } from '../../../../rpc/clients/client-error.js';
import { ExecutionClient } from '../../../../rpc/clients/execution-client.js';
import { OpNodeClient } from '../../../../rpc/clients/op-node-client.js';
import type { Asked, NodeFacts } from '../facts.js';

const TIMEOUT_MS = 5000;
const METHOD_NOT_FOUND = -32601;

interface Options {
  signal: AbortSignal;
  timeoutMs?: number;
}

/** Asks op-node and the execution client for everything that the doctor needs, in parallel. Never rejects. */
export async function gatherNode(
  { nodeUrl, executionUrl }: { nodeUrl: string; executionUrl: string },
  { signal, timeoutMs = TIMEOUT_MS }: Options,
): Promise<NodeFacts> {
  const opNode = new OpNodeClient({ url: nodeUrl });
  const execution = new ExecutionClient({ url: executionUrl });
  const call = { signal, timeoutMs };
  const askedAtMs = Date.now();
  const nodeHead = asked(
    opNode.syncStatus(call).then(({ unsafeL2: { number, hash, timestamp } }) => ({
      ...{ number, hash, timestamp },
    })),
  );
  // After op-node's head, so that a growing chain does not look like two chains.
  const atNodeHead = nodeHead.then((head) =>
    'value' in head ? asked(execution.blockByNumber(head.value.number, call)) : undefined,
  );
  try {
    const ofExecution = Promise.all([
      asked(execution.latestBlock(call)),
      asked(execution.chainId(call)),
      atNodeHead,
    ]);
    const [head, chainId, conductorEnabled, sequencerActive, peers] = await Promise.all([
      nodeHead,
      asked(opNode.chainId(call)),
      asked(opNode.conductorEnabled(call)),
      asked(opNode.sequencerActive(call)),
      asked(opNode.peerStats(call).then(({ connected }) => connected)),
    ]);
    const [executionHead, executionChainId, block] = await ofExecution;
    return {
      nodeUrl: hideCredentials(nodeUrl),
      executionUrl: hideCredentials(executionUrl),
      opNode: { head, chainId, conductorEnabled, sequencerActive, peers },
      execution: { head: executionHead, chainId: executionChainId, atNodeHead: block },
      askedAtMs,
    };
  } finally {
    await Promise.all([opNode.close(), execution.close()]);
  }
}

function asked<T>(call: Promise<T>): Promise<Asked<T>> {
  return call.then(
    (value) => ({ value }),
    (error: Error) => {
      const failure = rpcFailure(error);
      const isMethodMissing =
        failure?.rpcCode === METHOD_NOT_FOUND || failure?.rpcMessage.includes('method not found') === true;
      return { error: error.message, isMethodMissing };
    },
  );
}
