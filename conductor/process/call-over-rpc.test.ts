import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  startFakeRpcServer,
  type FakeAnswer,
  type FakeRpcServer,
} from '../../rpc/clients/testing/fake-rpc-server.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { conductorUnderTest, endConductors } from '../testing/conductor-under-test.js';
import { callOverRpc } from './call-over-rpc.js';

const CALL = { method: 'conductor_addServerAsVoter', params: ['d', 'd:50050', 0] };

let leader: FakeRpcServer;
let own: ConductorStatus;
/** The leader's own description. */
let said: Partial<ConductorStatus>;

beforeEach(async () => {
  leader = await startFakeRpcServer(() => ({ result: null }));
  own = conductorUnderTest().conductor.status();
  const servers = own.membership.servers.map((server) => ({ ...server, addr: '127.0.0.1:50050' }));
  own = { ...own, membership: { ...own.membership, servers } };
  said = { rpcPort: Number(new URL(leader.url).port) };
});
afterEach(async () => {
  await endConductors();
  await leader.close();
});

const call = (): Promise<void> =>
  callOverRpc(
    { own: () => own, askStatus: async () => ({ nodeId: 'b', status: { ...own, id: 'b', ...said } }) },
    'b',
    CALL,
    2000,
  );

describe('a change that continues at a new leader of an older release', () => {
  it('is asked for over its RPC', async () => {
    await call();
    expect(leader.requests).toMatchObject([CALL]);
  });

  it('returns the answer of the leader', async () => {
    leader.answer = (): FakeAnswer => ({ error: { code: -32000, message: 'configuration changed since 7' } });
    await expect(call()).rejects.toMatchObject({
      message: 'configuration changed since 7',
      reason: 'refused-by-leader',
    });
  });

  it.each([
    ['does not tell its RPC port', () => (said = { rpcPort: null }), 'its RPC port is not known'],
    ['does not answer there', () => leader.close(), 'could not be asked to continue'],
    ['is not known here', () => (own.membership.servers = []), 'its address is not known here'],
  ])('must be repeated by hand when the leader %s', async (_, fail, text) => {
    await fail();
    await expect(call()).rejects.toMatchObject({ reason: 'leader-not-asked' });
    await expect(call()).rejects.toThrow(text);
    await expect(call()).rejects.toThrow('repeat conductor_addServerAsVoter there');
  });

  it('has an unknown outcome when the connection breaks before the answer', async () => {
    leader.answer = () => 'reset';
    await expect(call()).rejects.toMatchObject({ reason: 'unknown-outcome' });
    expect(leader.requests).toHaveLength(1);
  });
});
