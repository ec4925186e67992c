import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TransportError } from '../../raft/index.js';
import {
  startFakeRpcServer,
  type FakeAnswer,
  type FakeRpcServer,
} from '../../rpc/clients/testing/fake-rpc-server.js';
import { memberStatus } from '../commands/testing/fake-cluster.js';
import { recordOf } from '../testing/chain.js';
import { recordAtLeader } from './record-at-leader.js';

let leader: FakeRpcServer;
beforeEach(async () => void (leader = await startFakeRpcServer(() => ({ result: null }))));
afterEach(() => leader.close());

/** Of an older release. */
const ask = (): Promise<never> =>
  Promise.reject(new TransportError('unknown-request', 'b', '404', { hadNoEffect: true }));

function record(timeoutMs = 2000): Promise<void> {
  const servers = [{ id: 'b', addr: '127.0.0.1:50050', suffrage: 0 as const }];
  const own = memberStatus('a', { membership: { version: 7, servers } });
  const status = memberStatus('b', { rpcPort: Number(new URL(leader.url).port) });
  const way = { ask, own: () => own, askStatus: async () => ({ nodeId: 'b', status }) };
  return recordAtLeader(way, 'b', recordOf('r1'), timeoutMs);
}

const refusal = (message: string) => (): FakeAnswer => ({ error: { code: -32000, message } });

describe('a record for the leader to write', () => {
  it('is sent to its RPC', async () => {
    await record();
    expect(leader.requests).toMatchObject([{ method: 'conductor_record', params: [recordOf('r1')] }]);
  });

  it('is tried elsewhere if it no longer leads', async () => {
    leader.answer = refusal('node is not the leader');
    await expect(record()).rejects.toMatchObject({ reason: 'not-leader' });
  });

  it('reports the refusal of the leader', async () => {
    leader.answer = refusal('nothing can be recorded yet: c is not known to read records');
    await expect(record()).rejects.toMatchObject({
      reason: 'refused-by-leader',
      message: expect.stringContaining('c is not known'),
    });
  });

  it('is not written if the leader cannot be asked', async () => {
    await leader.close();
    await expect(record()).rejects.toMatchObject({
      reason: 'leader-not-asked',
      message: 'the leader b could not be asked to record this',
    });
  });

  it('may or may not be written if the leader does not answer in time', async () => {
    leader.answer = () => 'hang';
    await expect(record(50)).rejects.toMatchObject({
      reason: 'unknown-outcome',
      message: expect.stringContaining('it is not known whether this was recorded'),
    });
  });
});
