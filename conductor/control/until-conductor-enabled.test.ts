import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import {
  startFakeRpcServer,
  type FakeAnswer,
  type FakeRpcServer,
} from '../../rpc/clients/testing/fake-rpc-server.js';
import { silent } from '../testing/chain.js';
import { sleep } from '../time/sleep.js';
import { untilConductorEnabled } from './until-conductor-enabled.js';

let server: FakeRpcServer;
let opNode: OpNodeClient;
let answer: FakeAnswer;
let abort: AbortController;
let reasons: string[];

const wait = (): Promise<boolean | undefined> =>
  untilConductorEnabled({
    opNode,
    localNode: { noteUnreachable: (reason) => void reasons.push(reason) },
    logger: silent,
    signal: abort.signal,
    // Sooner than in production.
    sleep: (_ms, signal) => sleep(1, signal),
  });

async function asked(times: number): Promise<void> {
  while (server.requests.length < times) await sleep(1);
}

beforeEach(async () => {
  answer = { result: true };
  server = await startFakeRpcServer(() => answer);
  opNode = new OpNodeClient({ url: server.url });
  abort = new AbortController();
  reasons = [];
});
afterEach(async () => {
  abort.abort();
  await opNode.close();
  await server.close();
});

describe('untilConductorEnabled', () => {
  it.each([true, false])('returns op-node’s answer: %s', async (result) => {
    answer = { result };
    expect(await wait()).toBe(result);
    expect(reasons).toEqual([]);
  });

  it('asks until there is an answer, reports why there is none, and leaves nothing behind', async () => {
    answer = { error: { code: -32000, message: 'not yet' } };
    const enabled = wait();
    await asked(1);
    const listeners = (): number => getEventListeners(abort.signal, 'abort').length;
    const atFirst = listeners();
    await asked(4);
    // An op-node may be away for days, and no query may leave anything behind.
    expect(listeners()).toBeLessThanOrEqual(atFirst + 1);
    expect(reasons[0]).toContain('not yet');
    answer = { error: { code: -32601, message: 'the method admin_conductorEnabled does not exist' } };
    expect(await enabled).toBe(true);
  });

  it('ends with its signal', async () => {
    answer = { error: { code: -32000, message: 'not yet' } };
    const enabled = wait();
    await asked(2);
    abort.abort();
    expect(await enabled).toBeUndefined();
  });
});
