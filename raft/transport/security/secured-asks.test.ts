import { beforeAll, describe, expect, it } from '@jest/globals';
import type { AnswerMember } from '../ask-server.js';
import { securedBy, TestAuthority } from '../testing/certificates.js';
import { errorOf, nodesOfEachTest } from '../testing/nodes-of-each-test.js';
import type { TransportNode } from '../testing/transport-node.js';
import { readSecrets } from './read-secrets.js';
import type { TransportSecurity } from './security.js';

const { start } = nodesOfEachTest();
const [SECRET, OTHER] = ['1', '2'].map((digit) => digit.repeat(64)) as [string, string];

let authority: TestAuthority;
let stranger: TestAuthority;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
});

/** Nodes `a` and `b` that know each other, and the requests to b. */
async function pairOf(
  ofA: TransportSecurity | undefined,
  ofB: TransportSecurity,
): Promise<{ a: TransportNode; b: TransportNode; came: string[] }> {
  const came: string[] = [];
  const answerMember: AnswerMember = async (_, from) => {
    came.push(from);
    return { from };
  };
  const a = await start('a', ofA ? { security: ofA } : {});
  const b = await start('b', { security: ofB, answerMember });
  a.transport.setPeers([b.member]);
  b.transport.setPeers([a.member]);
  return { a, b, came };
}

const askB = (a: TransportNode): Promise<object> => a.transport.ask('b', {}, AbortSignal.timeout(5000));

describe('a request of the application, in a secured cluster', () => {
  it.each<[string, () => Promise<[TransportSecurity, TransportSecurity]>]>([
    [
      'certificates',
      () => Promise.all(['a', 'b'].map(certified)) as Promise<[TransportSecurity, TransportSecurity]>,
    ],
    ['a secret', async () => [knowing(SECRET), knowing(SECRET)]],
  ])('is answered among members with %s', async (_, securities) => {
    const { a } = await pairOf(...(await securities()));
    expect(await askB(a)).toEqual({ from: 'a' });
  });

  it('is refused to a member that the certificate does not name', async () => {
    const { a, came } = await pairOf(await certified('z'), await certified('b'));
    expect(await errorOf(askB(a))).toMatchObject({
      code: 'refused',
      refusal: { code: 'wrong-sender' },
      hadNoEffect: true,
    });
    expect(came).toEqual([]);
  });

  it('is refused to a node that the certificate names but the cluster does not know', async () => {
    const { b, came } = await pairOf(await certified('a'), await certified('b'));
    const removed = await start('c', { security: await certified('c') });
    removed.transport.setPeers([b.member]);
    expect(await errorOf(askB(removed))).toMatchObject({
      refusal: { code: 'not-a-member' },
      hadNoEffect: true,
    });
    expect(came).toEqual([]);
  });

  it.each<[string, () => Promise<TransportSecurity | undefined>, () => Promise<TransportSecurity>]>([
    ['a plain connection', async () => undefined, () => certified('b')],
    [
      'a certificate of another authority',
      async () => securedBy(await stranger.member('a')),
      () => certified('b'),
    ],
    ['another secret', async () => knowing(OTHER), async () => knowing(SECRET)],
  ])('is not heard over %s', async (_, ofA, ofB) => {
    const { a, came } = await pairOf(await ofA(), await ofB());
    const error = await errorOf(askB(a));
    expect(error).toMatchObject({ name: 'TransportError' });
    expect(error.code).not.toBe('unknown-request');
    expect(came).toEqual([]);
  });

  it('is not sent to a node that cannot prove that it is that member', async () => {
    const { a, came } = await pairOf(await certified('a'), await certified('z'));
    expect(await errorOf(askB(a))).toMatchObject({ code: 'unreachable', hadNoEffect: true });
    expect(came).toEqual([]);
  });
});

const certified = async (id: string): Promise<TransportSecurity> =>
  securedBy(await authority.member(id, { uris: [`baton:${id}`] }));

const knowing = (secret: string): TransportSecurity => securedBy(readSecrets(secret));
