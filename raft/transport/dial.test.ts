import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Dial } from './dial.js';
import { HostNames } from './host-names.js';
import type { HostPort } from './host-port.js';
import { isRefused, PeerFailureError, type ConnectFailure } from './peer-failure.js';

class FakeSocket extends EventEmitter {
  isOpen = true;
  remoteAddress: string | undefined;

  constructor(readonly host: string) {
    super();
    this.remoteAddress = host;
  }

  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.emit('close');
  }

  refuse(code: string): void {
    this.emit('error', Object.assign(new Error(code), { code }));
    this.destroy();
  }
}

/** A network in which the test decides the outcome of each attempt, and a name server as slow as the test wants. */
class Lab {
  readonly sockets: FakeSocket[] = [];
  lookUpMs = 0;
  addresses: readonly string[] | Error = ['10.0.0.1'];
  readonly names = new HostNames({
    lookUp: async () => {
      const { addresses, lookUpMs } = this;
      if (lookUpMs > 0) await new Promise((resolve) => setTimeout(resolve, lookUpMs));
      if (addresses instanceof Error) throw addresses;
      return addresses;
    },
    onMoved: () => undefined,
  });

  dial(to: Partial<HostPort> = {}): Dial {
    return new Dial(
      { host: 'a', port: 1, ...to },
      {
        names: this.names,
        openSocket: ({ host }) => {
          const socket = new FakeSocket(host);
          this.sockets.push(socket);
          return socket as unknown as Socket;
        },
        now: () => performance.now(),
      },
    );
  }

  get open(): string[] {
    return this.sockets.filter(({ isOpen }) => isOpen).map(({ host }) => host);
  }

  /** The newest attempt at an address. */
  to(host: string): FakeSocket {
    const socket = this.sockets.filter((each) => each.host === host).at(-1);
    if (!socket) throw new Error(`${host} was not tried`);
    return socket;
  }
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

async function failureOf(dial: Dial): Promise<ConnectFailure> {
  const error = await dial.socket.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as PeerFailureError).failure as ConnectFailure;
}

let lab: Lab;
beforeEach(() => {
  jest.useFakeTimers();
  lab = new Lab();
});
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('addresses', () => {
  it('are tried at the same time: the first that takes the connection wins, and the others end', async () => {
    lab.addresses = ['fd00::1', '10.0.0.1', '10.0.0.2'];
    const dial = lab.dial();
    await pass(0);
    expect(lab.open).toEqual(['fd00::1', '10.0.0.1', '10.0.0.2']);
    lab.to('10.0.0.1').emit('connect');
    expect(await dial.socket).toBe(lab.to('10.0.0.1'));
    expect(lab.open).toEqual(['10.0.0.1']);
    expect(lab.names.remembered('a')[0]).toBe('10.0.0.1');
  });

  it('of a family that leads nowhere cost no time', async () => {
    lab.addresses = ['fd00::1', '10.0.0.1'];
    const dial = lab.dial();
    await pass(0);
    lab.to('fd00::1').refuse('ENETUNREACH');
    lab.to('10.0.0.1').emit('connect');
    expect(await dial.socket).toBe(lab.to('10.0.0.1'));
  });

  it('are abandoned when the other side resets the connection as it is made', async () => {
    const dial = lab.dial();
    await pass(0);
    lab.to('10.0.0.1').remoteAddress = undefined;
    lab.to('10.0.0.1').emit('connect');
    const failure = await failureOf(dial);
    expect(failure.tried).toEqual([{ address: '10.0.0.1', error: 'ECONNRESET' }]);
    expect(lab.open).toEqual([]);
    expect(isRefused(failure)).toBe(false);
  });

  it('give a socket whose error ends only that socket', async () => {
    const dial = lab.dial();
    await pass(0);
    lab.to('10.0.0.1').emit('connect');
    const socket = await dial.socket;
    expect(() => socket.emit('error', new Error('read ECONNRESET'))).not.toThrow();
  });

  it('are given up when all of them refuse: nobody listens there', async () => {
    lab.addresses = ['10.0.0.1', '10.0.0.2'];
    const dial = lab.dial();
    await pass(0);
    lab.to('10.0.0.1').refuse('ECONNREFUSED');
    lab.to('10.0.0.2').refuse('ECONNREFUSED');
    const failure = await failureOf(dial);
    expect(failure).toMatchObject({
      to: 'a:1',
      tried: [
        { address: '10.0.0.1', error: 'ECONNREFUSED' },
        { address: '10.0.0.2', error: 'ECONNREFUSED' },
      ],
    });
    expect(isRefused(failure)).toBe(true);
  });

  it('prove nothing when one of them did not refuse', async () => {
    lab.addresses = ['10.0.0.1', '10.0.0.2'];
    const dial = lab.dial();
    await pass(0);
    lab.to('10.0.0.1').refuse('ECONNREFUSED');
    lab.to('10.0.0.2').refuse('EHOSTUNREACH');
    expect(isRefused(await failureOf(dial))).toBe(false);
  });

  it('that do not answer are tried again and again, until the dial ends', async () => {
    const dial = lab.dial();
    await pass(1600);
    expect(lab.sockets).toHaveLength(4);
    expect(dial.state).toMatchObject({
      forMs: 1600,
      tried: [{ address: '10.0.0.1', error: 'no answer' }],
    });
    // No attempt lasts longer than three seconds.
    await pass(8000);
    expect(lab.open.length).toBeLessThanOrEqual(6);
    const failed = failureOf(dial);
    await pass(1000);
    expect(await failed).toMatchObject({ tried: [{ address: '10.0.0.1', error: 'no answer' }] });
    expect(lab.open).toEqual([]);
  });

  it('of IPv6 need no name server', async () => {
    lab.addresses = new Error('nobody asks');
    const dial = lab.dial({ host: 'fd00::7', port: 5 });
    await pass(0);
    expect(dial.state.to).toBe('[fd00::7]:5');
    lab.to('fd00::7').emit('connect');
    expect(await dial.socket).toBe(lab.to('fd00::7'));
  });
});

describe('a name server', () => {
  const oneConnectionBefore = async (): Promise<void> => {
    const dial = lab.dial();
    await pass(0);
    lab.to('10.0.0.1').emit('connect');
    await dial.socket;
    lab.sockets.splice(0);
  };

  it('may take longer than any request waits', async () => {
    lab.lookUpMs = 20_000;
    const dial = lab.dial();
    await pass(15_000);
    expect(dial.state).toMatchObject({ lookUp: 'under way', tried: [], forMs: 15_000 });
    await pass(5000);
    lab.to('10.0.0.1').emit('connect');
    expect(await dial.socket).toBe(lab.to('10.0.0.1'));
  });

  it('that is slow is not waited for while an earlier address is known', async () => {
    await oneConnectionBefore();
    lab.lookUpMs = 5000;
    const dial = lab.dial();
    await pass(50);
    lab.to('10.0.0.1').emit('connect');
    expect(await dial.socket).toBe(lab.to('10.0.0.1'));
    await pass(5000);
  });

  it('that is dead is not needed either while an earlier address is known', async () => {
    await oneConnectionBefore();
    lab.addresses = Object.assign(new Error('no'), { code: 'EAI_AGAIN' });
    const dial = lab.dial();
    await pass(0);
    lab.to('10.0.0.1').emit('connect');
    expect(await dial.socket).toBe(lab.to('10.0.0.1'));
  });

  it('that answers late with another address is believed by the next dial', async () => {
    await oneConnectionBefore();
    lab.lookUpMs = 1000;
    lab.addresses = ['10.0.0.9'];
    const dial = lab.dial();
    await pass(100);
    lab.to('10.0.0.1').refuse('ECONNREFUSED');
    const failure = await failureOf(dial);
    expect(failure).toMatchObject({ lookUp: 'under way', tried: [{ error: 'ECONNREFUSED' }] });
    expect(isRefused(failure)).toBe(false);
    await pass(900);
    const next = lab.dial();
    await pass(50);
    lab.to('10.0.0.9').emit('connect');
    expect(await next.socket).toBe(lab.to('10.0.0.9'));
    await pass(1000);
  });

  it('that fails is named, and proves nothing about the peer', async () => {
    await oneConnectionBefore();
    lab.addresses = Object.assign(new Error('no'), { code: 'ENOTFOUND' });
    const dial = lab.dial();
    await pass(0);
    lab.to('10.0.0.1').refuse('ECONNREFUSED');
    const failure = await failureOf(dial);
    expect(failure).toMatchObject({
      lookUp: 'ENOTFOUND',
      tried: [{ address: '10.0.0.1', error: 'ECONNREFUSED' }],
    });
    expect(isRefused(failure)).toBe(false);
    expect(new PeerFailureError(failure, false).message).toBe(
      'no connection to a:1 (name lookup: ENOTFOUND, 10.0.0.1: ECONNREFUSED)',
    );
  });
});

it('ends when it is given up, with all its attempts', async () => {
  lab.addresses = ['10.0.0.1', '10.0.0.2'];
  const dial = lab.dial();
  await pass(700);
  dial.abort();
  expect((await failureOf(dial)).tried).toHaveLength(2);
  expect(lab.open).toEqual([]);
});
