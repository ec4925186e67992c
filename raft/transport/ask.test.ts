import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { request } from 'undici';
import { eventually } from '../testing/eventually.js';
import { ask, ASK_BYTES_MAX, ASK_MS_MAX, ASK_PATH } from './ask.js';
import type { AnswerMember } from './ask-server.js';
import type { Dial } from './dial.js';
import { TransportError } from './errors.js';
import { writeFrameHeaders } from './frame-headers.js';
import { PeerFailureError } from './peer-failure.js';
import { errorOf, nodesOfEachTest } from './testing/nodes-of-each-test.js';
import { CLUSTER, type TransportNode } from './testing/transport-node.js';
import { WIRE_VERSIONS } from './wire-versions.js';

const { start, pair } = nodesOfEachTest();

const echo: AnswerMember = async (asked, from) => ({ asked, from });
const SOON_MS = 5000;

/** What `from` gets from b. */
const askB = (from: TransportNode, what: object, signal = AbortSignal.timeout(SOON_MS)): Promise<object> =>
  from.transport.ask('b', what, signal);

/** Ends the requests that a test keeps waiting. */
const release: (() => void)[] = [];
afterEach(() => {
  jest.useRealTimers();
  for (const end of release.splice(0)) end();
});

/** Answers once the test has ended; records the requests. */
function silent(): { answerMember: AnswerMember; came: unknown[] } {
  const came: unknown[] = [];
  const answerMember: AnswerMember = (asked) => {
    came.push(asked);
    return new Promise((resolve) => release.push(() => resolve({})));
  };
  return { answerMember, came };
}

/** A body as somebody else may send it, with the headers of a member. */
async function post(to: TransportNode, body: string): Promise<{ status: number; code: unknown }> {
  const pairs = writeFrameHeaders({
    version: WIRE_VERSIONS.newest,
    clusterId: CLUSTER,
    toIncarnation: to.incarnation,
  });
  const answer = await request(`http://127.0.0.1:${to.port}${ASK_PATH}`, {
    method: 'POST',
    headers: ['content-type', 'application/json', ...pairs],
    body,
  });
  const { code } = (await answer.body.json()) as { code: unknown };
  return { status: answer.statusCode, code };
}

describe('a request of the application', () => {
  it('is answered by the application of the other member, which learns the sender', async () => {
    const [a] = await pair({ answerMember: echo });
    expect(await askB(a, { say: 'ä' })).toEqual({ asked: { say: 'ä' }, from: 'a' });
  });

  it('is not known to a peer of an older release', async () => {
    const [a] = await pair();
    expect(await errorOf(askB(a, {}))).toMatchObject({ code: 'unknown-request', hadNoEffect: true });
  });

  it.each<[string, (a: TransportNode, b: TransportNode) => TransportNode | Promise<TransportNode>, string]>([
    ['of a node that is not a member', (_, b) => stranger('c', b), 'not-a-member'],
    ['from another disk of a member', (_, b) => stranger('a', b), 'wrong-incarnation'],
    [
      'from a copy of the disk of a member',
      ({ incarnation }, b) => stranger('a', b, incarnation),
      'identity-used-twice',
    ],
    [
      'for another node on that disk',
      (a, b) => {
        a.transport.setPeers([{ ...b.member, id: 'd' }]);
        return a;
      },
      'wrong-node',
    ],
    [
      'for another disk',
      (a, b) => {
        a.transport.setPeers([{ ...b.member, incarnation: 'd0'.repeat(16) }]);
        return a;
      },
      'wrong-incarnation',
    ],
  ])('is refused %s', async (_, askerOf, code) => {
    const { answerMember, came } = silent();
    const [a, b] = await pair({ answerMember });
    const asker = await askerOf(a, b);
    const to = code === 'wrong-node' ? 'd' : 'b';
    const error = await errorOf(asker.transport.ask(to, {}, AbortSignal.timeout(SOON_MS)));
    expect(error).toMatchObject({ code: 'refused', refusal: { code }, hadNoEffect: true });
    expect(came).toEqual([]);
  });

  it('is refused when it is too large, by the sender and by the receiver', async () => {
    const { answerMember, came } = silent();
    const [a, b] = await pair({ answerMember });
    const large = { text: 'x'.repeat(ASK_BYTES_MAX) };
    expect(await errorOf(askB(a, large))).toMatchObject({ code: 'refused', hadNoEffect: true });
    const body = { from: 'a', fromIncarnation: a.incarnation, bootId: 'b0'.repeat(16), to: 'b' };
    const answer = await post(b, JSON.stringify({ ...body, request: large }));
    expect(answer).toEqual({ status: 400, code: 'malformed' });
    expect(came).toEqual([]);
  });

  it.each(['{"from":"a"}', 'null', '{'])('is refused when it is %s', async (body) => {
    const { answerMember, came } = silent();
    const [, b] = await pair({ answerMember });
    expect((await post(b, body)).status).toBe(400);
    expect(came).toEqual([]);
  });

  it('is one of at most eight at once from one member', async () => {
    const { answerMember, came } = silent();
    const [a] = await pair({ answerMember });
    const asked = Array.from({ length: 8 }, () => askB(a, {}));
    await eventually(() => came.length === 8, 'eight requests');
    expect(await errorOf(askB(a, {}))).toMatchObject({
      code: 'refused',
      refusal: { code: 'too-many-requests' },
      hadNoEffect: true,
    });
    for (const end of release.splice(0)) end();
    await Promise.all(asked);
    const again = askB(a, {});
    await eventually(() => came.length === 9, 'one more');
    for (const end of release.splice(0)) end();
    expect(await again).toEqual({});
  });
});

describe('a request without an answer', () => {
  it('may have had its effect once it was sent', async () => {
    const { answerMember, came } = silent();
    const [a] = await pair({ answerMember });
    const caller = new AbortController();
    const error = errorOf(askB(a, {}, caller.signal));
    await eventually(() => came.length === 1, 'the request');
    caller.abort();
    expect(await error).toMatchObject({ code: 'timeout', hadNoEffect: false });
  });

  it('may have had its effect when the peer stops before it answers', async () => {
    const { answerMember, came } = silent();
    const [a, b] = await pair({ answerMember });
    const error = errorOf(askB(a, {}));
    await eventually(() => came.length === 1, 'the request');
    await b.transport.stop();
    expect(await error).toMatchObject({ code: 'unreachable', hadNoEffect: false });
  });

  it('may have had its effect when the application of the peer fails', async () => {
    const answerMember = (): Promise<object> => Promise.reject(new Error('after the effect'));
    const [a] = await pair({ answerMember });
    expect(await errorOf(askB(a, {}))).toMatchObject({ code: 'unanswered', hadNoEffect: false });
  });

  it('had none when nobody listens there, the peer is unknown, or the caller no longer waits', async () => {
    const [a, b] = await pair({ answerMember: echo });
    expect(await errorOf(askB(a, {}, AbortSignal.abort()))).toMatchObject({
      code: 'timeout',
      hadNoEffect: true,
    });
    await b.transport.stop();
    expect(await errorOf(askB(a, {}))).toMatchObject({ code: 'unreachable', hadNoEffect: true });
    a.transport.setPeers([]);
    expect(await errorOf(askB(a, {}))).toMatchObject({ code: 'unknown-peer', hadNoEffect: true });
  });

  it('is given up after a minute, even if its caller would wait longer', async () => {
    jest.useFakeTimers();
    let fail: (error: Error) => void = () => undefined;
    const state = { phase: 'connect', to: 'b:1', forMs: ASK_MS_MAX, tried: [] } as const;
    const dial = {
      socket: new Promise((_, reject) => (fail = reject)),
      abort: () => fail(new PeerFailureError(state, true)),
    } as unknown as Dial;
    const sender = { from: 'a', fromIncarnation: '', bootId: '', to: 'b' };
    const { signal } = new AbortController();
    const error = errorOf(
      ask({ peer: 'b', dial: () => dial, headers: [], body: { ...sender, request: {} }, signal }),
    );
    await jest.advanceTimersByTimeAsync(ASK_MS_MAX);
    expect(await error).toBeInstanceOf(TransportError);
    expect(await error).toMatchObject({ code: 'timeout', hadNoEffect: true });
  });
});

/** A node that knows b, and that b does not know. */
async function stranger(id: string, b: TransportNode, incarnation?: string): Promise<TransportNode> {
  const node = await start(id, incarnation === undefined ? {} : { incarnation });
  node.transport.setPeers([b.member]);
  return node;
}
