import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { configOf } from '../../../config/testing/command-line.js';
import type { PeerFacts } from '../facts.js';
import { PeerQuestions } from './gather-peers.js';

const servers: (Server | net.Server)[] = [];
const sockets = new Set<net.Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function portOf(server: Server | net.Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

const answering = (answer: object | string): Promise<number> =>
  portOf(
    createServer((_request, response) =>
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer)),
    ),
  );

const hello = {
  ...{ nodeId: 'b', clusterId: 'c1', incarnation: 'd1', bootId: 'p1', wireVersion: 1, oldestWireVersion: 1 },
  ...{ empty: false, peersDigest: null },
};

async function ask<T>(flags: string[], question: (questions: PeerQuestions) => Promise<T>): Promise<T> {
  const questions = new PeerQuestions(configOf(flags), new AbortController().signal);
  try {
    return await question(questions);
  } finally {
    await questions.close();
  }
}

const found = async (port: number): Promise<PeerFacts['found']> => {
  const list = `sequencer-0@127.0.0.1:50050,b@127.0.0.1:${port}`;
  const [peer, ...others] = await ask(['--raft.peers', list], (questions) => questions.gatherPeers());
  expect([peer?.id, peer?.addr, others]).toEqual(['b', `127.0.0.1:${port}`, []]);
  return peer!.found;
};

describe('the program at the address of a member', () => {
  it('is a Baton, with its own account', async () => {
    expect(await found(await answering(hello))).toMatchObject({
      ...{ kind: 'baton', nodeId: 'b', clusterId: 'c1', isEmpty: false, peersDigest: null },
      roundTripMs: expect.any(Number),
    });
  });

  it('is a Baton of a release with another wire version', async () => {
    const port = await answering({ ...hello, wireVersion: 99, oldestWireVersion: 98 });
    expect(await found(port)).toMatchObject({ kind: 'baton', wireProblem: expect.stringContaining('98') });
  });

  it('is another program', async () => {
    expect(await found(await answering('hello'))).toMatchObject({ kind: 'stranger' });
    const port = await portOf(net.createServer((socket) => socket.end('SSH-2.0\r\n')));
    expect(await found(port)).toMatchObject({ kind: 'stranger' });
  });

  it('does not exist', async () => {
    const closed = net.createServer();
    const port = await portOf(closed);
    closed.close();
    await once(closed, 'close');
    expect(await found(port)).toMatchObject({ kind: 'refused' });
  });

  it('is a process that hangs', async () => {
    const port = await portOf(net.createServer(() => undefined));
    expect(await found(port)).toEqual({ kind: 'silent', reason: expect.stringMatching(/no answer/) });
  });
});

describe('this very member', () => {
  it.each([
    ['sequencer-0', true],
    ['b', false],
  ])('already runs if %s answers: %s', async (nodeId, expected) => {
    const port = await answering({ ...hello, nodeId });
    const flags = ['--consensus.port', String(port)];
    expect(await ask(flags, (questions) => questions.alreadyRuns())).toBe(expected);
  });
});
