import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../testing/eventually.js';
import { TransportError } from '../errors.js';
import { bigAppend } from '../testing/arbitrary-frames.js';
import { securedBy, TestAuthority, type CertificateChoice } from '../testing/certificates.js';
import { errorOf, nodesOfEachTest } from '../testing/nodes-of-each-test.js';
import { heartbeat, type TransportNode } from '../testing/transport-node.js';
import { readCertificate } from './read-certificate.js';
import { readSecrets } from './read-secrets.js';
import { secureDialled } from './secure-dialled.js';
import type { Credentials, SecurityRefusal, TransportSecurity } from './security.js';

const { start } = nodesOfEachTest();
const [OLD, NEW, WRONG] = ['1', '2', '3'].map((digit) => digit.repeat(64)) as [string, string, string];

let authority: TestAuthority;
let stranger: TestAuthority;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
});

/** Nodes `a` and `b` that know each other, each with its security; undefined: plain. */
async function pairOf(
  ofA: TransportSecurity | undefined,
  ofB: TransportSecurity | undefined,
): Promise<[TransportNode, TransportNode]> {
  const a = await start('a', ofA ? { security: ofA } : {});
  const b = await start('b', ofB ? { security: ofB } : {});
  a.transport.setPeers([b.member]);
  b.transport.setPeers([a.member]);
  return [a, b];
}

const credentialsOf = (id: string, choice?: CertificateChoice): Promise<Credentials> =>
  authority.member(id, choice);

/** A security, and its refusals. */
function watched(
  credentials: Credentials,
  acceptsPlain = false,
): { security: TransportSecurity; refused: SecurityRefusal[]; plain: string[] } {
  const refused: SecurityRefusal[] = [];
  const plain: string[] = [];
  const security = securedBy(credentials, {
    acceptsPlain,
    onRefused: (refusal) => void refused.push(refusal),
    onPlain: (side) => void plain.push(side),
  });
  return { security, refused, plain };
}

const codesOf = (refused: readonly SecurityRefusal[]): string[] => [
  ...new Set(refused.map(({ side, code }) => `${side} ${code}`)),
];

/** Why the message finally does not arrive: a refused connection may just have been closed. */
async function refusalOf(from: TransportNode, to: string, code: string): Promise<TransportError> {
  let last: Error | undefined;
  await eventually(async () => {
    last = await errorOf(from.transport.send(to, heartbeat()));
    return last.message.includes(code);
  }, `a refusal with ${code}`).catch((error: Error) => {
    throw new Error(`${error.message}; the last one was ${last?.message}`);
  });
  return last as TransportError;
}

const open: { destroy(): unknown }[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

describe('members with certificates', () => {
  it('talk to each other, on connections that are kept', async () => {
    const [a, b] = await pairOf(
      securedBy(await credentialsOf('a')),
      securedBy(await credentialsOf('b', { uris: [], dnsNames: ['b', 'b.example'] })),
    );
    await a.transport.send('b', heartbeat());
    await a.transport.send('b', bigAppend(1_000_000));
    await b.transport.send('a', heartbeat());
    expect(b.received.map(({ from }) => from)).toEqual(['a', 'a']);
    expect(await a.transport.hello(b.member.address, AbortSignal.timeout(2000))).toMatchObject({
      nodeId: 'b',
    });
  });

  it('do not trust a node with a certificate of another authority, and tell it why', async () => {
    const atB = watched(await credentialsOf('b'));
    const texts = await stranger.issue({ uris: ['baton:a'] });
    const b = await start('b', { security: atB.security });
    const socket = tls.connect({ port: b.port, host: '127.0.0.1', ...texts, rejectUnauthorized: false });
    open.push(socket);
    socket.on('error', () => undefined);
    socket.write('GET /raft/v1/hello HTTP/1.1\r\nhost: b\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 400 [^]*"code":"peer-not-trusted"/);
    expect(codesOf(atB.refused)).toEqual(['listener peer-not-trusted']);
  });

  it('do not give themselves away to a listener of another authority', async () => {
    const atA = watched(await credentialsOf('a'));
    const [a, b] = await pairOf(atA.security, securedBy(await stranger.member('b')));
    const { message } = await refusalOf(a, 'b', 'peer-not-trusted');
    expect(message).toContain('127.0.0.1: peer-not-trusted');
    expect(codesOf(atA.refused)).toContain('dialler peer-not-trusted');
    expect(b.received).toEqual([]);
  });

  it('are taken only for themselves by a dialling node', async () => {
    const atA = watched(await credentialsOf('a'));
    const [a, b] = await pairOf(atA.security, securedBy(await credentialsOf('b')));
    a.transport.setPeers([{ ...b.member, id: 'c' }]);
    await refusalOf(a, 'c', 'peer-not-named');
    expect(codesOf(atA.refused)).toEqual(['dialler peer-not-named']);
    expect(b.received).toEqual([]);
  });

  it('cannot speak as another: a frame whose sender is not in the certificate is refused', async () => {
    const [a, b] = await pairOf(
      securedBy(await authority.member('z', { uris: ['baton:z'] })),
      securedBy(await credentialsOf('b')),
    );
    const error = await refusalOf(a, 'b', 'wrong-sender');
    expect(error).toMatchObject({ code: 'refused', refusal: { code: 'wrong-sender' } });
    expect(error.message).toContain('the certificate of z speaks as a');
    expect(b.received).toEqual([]);
  });

  it('cannot answer hello as another', async () => {
    const [a, b] = await pairOf(
      securedBy(await credentialsOf('a')),
      securedBy(await authority.member('z', { uris: ['baton:z'] })),
    );
    const hello = a.transport.hello(b.member.address, AbortSignal.timeout(2000));
    expect((await errorOf(hello)).message).toContain('the certificate of z speaks as b');
  });

  it('are refused once their certificate has expired, by the listener and by the dialler', async () => {
    const expired = await credentialsOf('a', { fromDays: -3, untilDays: -1 });
    const [atA, atB] = [watched(expired), watched(await credentialsOf('b'))];
    const [a, b] = await pairOf(atA.security, atB.security);
    await refusalOf(a, 'b', 'peer-expired');
    await refusalOf(b, 'a', 'peer-expired');
    expect(codesOf(atB.refused).sort()).toEqual(['dialler peer-expired', 'listener peer-expired']);
    expect([...a.received, ...b.received]).toEqual([]);
  });

  it('use a new certificate for each new connection', async () => {
    let credentials = await credentialsOf('a', { fromDays: -3, untilDays: -1 });
    const [a, b] = await pairOf(
      { credentials: () => credentials, acceptsPlain: false },
      securedBy(await credentialsOf('b')),
    );
    await refusalOf(a, 'b', 'peer-expired');
    credentials = await credentialsOf('a');
    await eventually(
      () =>
        a.transport.send('b', heartbeat()).then(
          () => true,
          () => false,
        ),
      'an answer',
    );
    await eventually(
      () =>
        b.transport.send('a', heartbeat()).then(
          () => true,
          () => false,
        ),
      'an answer of the listener',
    );
  });

  it('resume no session, in which an old certificate would live on', async () => {
    const b = await start('b', { security: securedBy(await credentialsOf('b')) });
    const texts = await authority.issue({ uris: ['baton:a'] });
    const isResumed = async (session?: Buffer): Promise<[boolean, Buffer | undefined]> => {
      const more = session ? { session } : {};
      const checkServerIdentity = (): undefined => undefined;
      const socket = tls.connect({ port: b.port, host: '127.0.0.1', ...texts, ...more, checkServerIdentity });
      open.push(socket);
      let ticket: Buffer | undefined;
      socket.on('session', (given: Buffer) => (ticket = given));
      await once(socket, 'secureConnect');
      socket.write('GET /raft/v1/hello HTTP/1.1\r\nhost: b\r\n\r\n');
      await once(socket, 'data');
      return [socket.isSessionReused(), ticket];
    };
    const [, ticket] = await isResumed();
    expect(ticket).toBeDefined();
    expect((await isResumed(ticket))[0]).toBe(false);
  });
});

describe('members with a secret', () => {
  it('talk to each other', async () => {
    const [a, b] = await pairOf(securedBy(readSecrets(OLD)), securedBy(readSecrets(OLD)));
    await a.transport.send('b', heartbeat());
    await a.transport.send('b', bigAppend(1_000_000));
    await b.transport.send('a', heartbeat());
  });

  it.each([
    ['who has another one', () => readSecrets(WRONG), 'wrong-secret'],
    ['who has a certificate', () => credentialsOf('a'), 'wrong-secret'],
  ])('do not listen to %s', async (_, credentials, code) => {
    const atB = watched(readSecrets(OLD));
    const [a, b] = await pairOf(securedBy(await credentials()), atB.security);
    await errorOf(a.transport.send('b', heartbeat()));
    await eventually(() => codesOf(atB.refused).includes(`listener ${code}`), 'a refusal');
    expect(b.received).toEqual([]);
  });

  it('do not speak to a node with a certificate', async () => {
    const atA = watched(readSecrets(OLD));
    const [a, b] = await pairOf(atA.security, securedBy(await credentialsOf('b')));
    await refusalOf(a, 'b', 'wrong-secret');
    expect(codesOf(atA.refused)).toContain('dialler wrong-secret');
    expect(b.received).toEqual([]);
  });

  it.each([
    ['knows the new one, too', OLD, `${OLD}\n${NEW}`],
    ['uses the new one already', `${OLD}\n${NEW}`, `${NEW}\n${OLD}`],
    ['has forgotten the old one', `${NEW}\n${OLD}`, NEW],
  ])('change it one after the other: the next one %s', async (_, ofA, ofB) => {
    const [a, b] = await pairOf(securedBy(readSecrets(ofA)), securedBy(readSecrets(ofB)));
    await a.transport.send('b', heartbeat());
    await b.transport.send('a', heartbeat());
  });

  it('resume no session, in which an old secret would live on', async () => {
    const b = await start('b', { security: securedBy(readSecrets(OLD)) });
    const { keys } = readSecrets(OLD);
    const psk = { identity: keys[0]!.identity, psk: keys[0]!.key };
    const options = {
      ...{ port: b.port, host: '127.0.0.1', ciphers: 'TLS_AES_128_GCM_SHA256' },
      checkServerIdentity: () => undefined,
    };
    const first = tls.connect({ ...options, pskCallback: () => psk });
    open.push(first);
    const [ticket] = (await once(first, 'session')) as [Buffer];
    const again = tls.connect({ ...options, session: ticket });
    open.push(again);
    const [error] = (await once(again, 'error')) as [Error];
    expect(error.message).toContain('handshake failure');
  });
});

describe('a connection that is open', () => {
  it.each<[string, () => Promise<Credentials>, () => Promise<Credentials>]>([
    ['its secret is taken away', async () => readSecrets(`${OLD}\n${NEW}`), async () => readSecrets(NEW)],
    [
      'its authority is taken away',
      () => credentialsOf('b'),
      async () => readCertificate(await stranger.issue({ uris: ['baton:b'] }), 'b'),
    ],
  ])('ends when %s', async (_, before, after) => {
    let credentials = await before();
    const b = await start('b', { security: { credentials: () => credentials, acceptsPlain: false } });
    const sender = credentials.kind === 'secret' ? readSecrets(OLD) : await credentialsOf('a');
    const raw = net.connect(b.port, '127.0.0.1');
    open.push(raw);
    await once(raw, 'connect');
    const { socket } = await secureDialled(raw, sender, 'b');
    credentials = await after();
    await once(socket, 'close');
  });

  it('lives on when the certificates are renewed, and when an authority is added', async () => {
    let ofB = await authority.issue({ uris: ['baton:b'] });
    const b = await start('b', {
      security: { credentials: () => readCertificate(ofB, 'b'), acceptsPlain: false },
    });
    const raw = net.connect(b.port, '127.0.0.1');
    open.push(raw);
    await once(raw, 'connect');
    const { socket } = await secureDialled(raw, await credentialsOf('a'), 'b');
    ofB = { ...(await authority.issue({ uris: ['baton:b'] })), ca: `${stranger.pem}\n${authority.pem}` };
    // By then the untrusted connections have ended; the answer shows that this one has not.
    const c = net.connect(b.port, '127.0.0.1');
    open.push(c);
    await once(c, 'close');
    socket.write('GET /raft/v1/hello HTTP/1.1\r\nhost: b\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('200 OK');
  });
});

describe('a plain member', () => {
  it('is told by a secured one that plain connections are refused', async () => {
    const atB = watched(await credentialsOf('b'));
    const [a, b] = await pairOf(undefined, atB.security);
    const error = await refusalOf(a, 'b', 'peer-speaks-tls');
    expect(error).toMatchObject({ code: 'refused', refusal: { code: 'peer-speaks-tls' } });
    expect(codesOf(atB.refused)).toContain('listener peer-speaks-plain');
    expect(b.received).toEqual([]);
  });

  it('is not spoken to by a secured one', async () => {
    const atA = watched(await credentialsOf('a'));
    const [a, b] = await pairOf(atA.security, undefined);
    await refusalOf(a, 'b', 'peer-speaks-plain');
    expect(codesOf(atA.refused)).toContain('dialler peer-speaks-plain');
    expect(b.received).toEqual([]);
  });

  it('talks to one in transition, in both directions, and it is counted', async () => {
    const atB = watched(await credentialsOf('b'), true);
    const [a, b] = await pairOf(undefined, atB.security);
    await a.transport.send('b', heartbeat());
    await b.transport.send('a', heartbeat());
    expect(new Set(atB.plain)).toEqual(new Set(['listener', 'dialler']));
    expect(atB.refused).toEqual([]);
  });
});

describe('members in transition', () => {
  it('are secured towards each other and towards members that have finished', async () => {
    const atA = watched(await credentialsOf('a'), true);
    const atB = watched(await credentialsOf('b'), true);
    const [a, b] = await pairOf(atA.security, atB.security);
    const c = await start('c', { security: securedBy(await credentialsOf('c')) });
    a.transport.setPeers([b.member, c.member]);
    c.transport.setPeers([a.member]);
    await Promise.all([
      a.transport.send('b', heartbeat()),
      b.transport.send('a', heartbeat()),
      a.transport.send('c', heartbeat()),
      c.transport.send('a', heartbeat()),
    ]);
    expect([...atA.plain, ...atB.plain]).toEqual([]);
  });
});

describe('a stranger', () => {
  it('that says nothing, or stops in the middle of a handshake, is dropped', async () => {
    const atB = watched(await credentialsOf('b'));
    const b = await start('b', { security: atB.security });
    const [silent, stalling] = [net.connect(b.port, '127.0.0.1'), net.connect(b.port, '127.0.0.1')];
    open.push(silent, stalling);
    for (const socket of [silent, stalling]) socket.on('error', () => undefined);
    stalling.write(Buffer.from([0x16, 3, 1, 0, 200, 1]));
    await Promise.all([once(silent, 'close'), once(stalling, 'close')]);
    expect(codesOf(atB.refused)).toEqual(['listener handshake-timeout']);
  });
});
