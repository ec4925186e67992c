import { afterEach } from '@jest/globals';
import { TransportNode, type TransportNodeOptions } from './transport-node.js';

export interface NodesOfEachTest {
  start: (id: string, options?: TransportNodeOptions) => Promise<TransportNode>;
  /** Nodes `a` and `b` that know each other; the options are those of `b`. */
  pair: (options?: TransportNodeOptions) => Promise<[TransportNode, TransportNode]>;
}

/** Starts nodes that are stopped when the test that started them has ended. */
export function nodesOfEachTest(): NodesOfEachTest {
  const running: TransportNode[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((node) => node.transport.stop()));
  });
  const start: NodesOfEachTest['start'] = async (id, options) => {
    const node = await new TransportNode(id, options).start();
    running.push(node);
    return node;
  };
  return {
    start,
    pair: async (options) => {
      const [a, b] = [await start('a'), await start('b', options)];
      a.transport.setPeers([b.member]);
      b.transport.setPeers([a.member]);
      return [a, b];
    },
  };
}

/** What a promise rejects with. @throws Error when it is kept */
export const errorOf = (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: Error) => error,
  );
