import { expect, it } from '@jest/globals';
import type { TransportError } from './errors.js';
import { failureText } from './peer-failure.js';
import { bigAppend } from './testing/arbitrary-frames.js';
import { errorOf, nodesOfEachTest } from './testing/nodes-of-each-test.js';
import { agree, heartbeat, type TransportNode } from './testing/transport-node.js';

const { start } = nodesOfEachTest();
const timeouts = { controlMs: 500, bulkMs: 200 };

const failureOf = async (sent: Promise<unknown>): Promise<TransportError['failure']> =>
  ((await errorOf(sent)) as TransportError).failure;

/** A peer that answers heartbeats, and no appends. */
async function withLazyPeer(): Promise<[TransportNode, TransportNode]> {
  const b = await start('b', {
    onRequest: ({ message, respond }) => void (message.type === 'append' || respond(agree(message))),
  });
  const a = await start('a', { timeouts });
  a.transport.setPeers([b.member]);
  return [a, b];
}

it('a peer without a listener: which address, and what its host says', async () => {
  const [a, b] = [await start('a'), await start('b')];
  await b.transport.stop();
  a.transport.setPeers([b.member]);
  const failure = await failureOf(a.transport.send('b', heartbeat()));
  expect(failure).toMatchObject({
    phase: 'connect',
    to: b.member.address,
    tried: [{ address: '127.0.0.1', error: 'ECONNREFUSED' }],
  });
  expect(failure && failureText(failure)).toMatch(
    /^no connection to 127\.0\.0\.1:\d+ \(127\.0\.0\.1: ECONNREFUSED\)$/,
  );
});

it('a peer that takes a request and does not answer it', async () => {
  const [a, b] = await withLazyPeer();
  await a.transport.send('b', heartbeat());
  const failure = await failureOf(a.transport.send('b', bigAppend(10)));
  expect(failure).toMatchObject({ phase: 'send', to: b.member.address });
});

it('a peer whose disk has not finished a write, as its answers to heartbeats say', async () => {
  const [a, b] = await withLazyPeer();
  b.writingForMs = 1500;
  const appended = failureOf(a.transport.send('b', bigAppend(10)));
  await a.transport.send('b', heartbeat());
  const failure = await appended;
  expect(failure).toMatchObject({ phase: 'peer-disk' });
  const { writingForMs } = failure as { writingForMs: number };
  expect(writingForMs).toBeGreaterThanOrEqual(1500);
  // Once its disk works again, its silence has another reason.
  b.writingForMs = 0;
  const next = failureOf(a.transport.send('b', bigAppend(10)));
  await a.transport.send('b', heartbeat());
  expect(await next).toMatchObject({ phase: 'send' });
});
