import type { LookupAddress } from 'node:dns';
import net from 'node:net';
import { once } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { NameLookup } from './name-lookup.js';

interface Asked {
  hostname: string;
  answer: (addresses: string[]) => void;
  fail: (code: string) => void;
}

let asked: Asked[];
let names: NameLookup;

beforeEach(() => {
  asked = [];
  names = new NameLookup(
    (hostname) =>
      new Promise((resolve, reject) => {
        asked.push({
          hostname,
          answer: (addresses) =>
            resolve(addresses.map((address) => ({ address, family: net.isIP(address) }))),
          fail: (code) => reject(Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code })),
        });
      }),
    10,
  );
});

const all = (hostname: string): Promise<string[]> =>
  new Promise((resolve, reject) => {
    names.lookup(hostname, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve((addresses as LookupAddress[]).map(({ address }) => address));
    });
  });

describe('looking up names', () => {
  it('asks once for all waiting callers, and again for later ones', async () => {
    const waiting = Promise.all([all('h'), all('h'), all('h')]);
    const other = all('i');
    expect(asked.map(({ hostname }) => hostname)).toEqual(['h', 'i']);
    asked[0]!.answer(['10.0.0.1', '::1']);
    asked[1]!.answer(['10.0.0.2']);
    expect(await waiting).toEqual(Array.from({ length: 3 }, () => ['10.0.0.1', '::1']));
    expect(await other).toEqual(['10.0.0.2']);
    const later = all('h');
    asked[2]!.answer(['10.0.0.3']);
    expect(await later).toEqual(['10.0.0.3']);
  });

  it('does not look up addresses', async () => {
    expect(await all('10.0.0.1')).toEqual(['10.0.0.1']);
    expect(await all('::1')).toEqual(['::1']);
    expect(asked).toEqual([]);
  });

  it('uses the last addresses while a look-up hangs, and the new ones once it ends', async () => {
    const first = all('h');
    asked[0]!.answer(['10.0.0.1']);
    await first;
    expect(await all('h')).toEqual(['10.0.0.1']);
    expect(await all('h')).toEqual(['10.0.0.1']);
    expect(asked).toHaveLength(2);
    asked[1]!.answer(['10.0.0.2']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await all('h')).toEqual(['10.0.0.2']);
  });

  it('passes errors on, and asks again', async () => {
    const failing = all('h');
    asked[0]!.fail('EAI_AGAIN');
    await expect(failing).rejects.toMatchObject({ code: 'EAI_AGAIN' });
    const again = all('h');
    asked[1]!.answer(['10.0.0.1']);
    expect(await again).toEqual(['10.0.0.1']);
  });

  it('uses the last addresses when the name server does not answer, but not when the name is gone', async () => {
    const first = all('h');
    asked[0]!.answer(['10.0.0.1']);
    await first;
    const unanswered = all('h');
    asked[1]!.fail('EAI_AGAIN');
    expect(await unanswered).toEqual(['10.0.0.1']);
    const gone = all('h');
    asked[2]!.fail('ENOTFOUND');
    await expect(gone).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('serves connections, which ask for one address or for all', async () => {
    const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    for (const autoSelectFamily of [true, false]) {
      const socket = net.connect({ host: 'h', port, lookup: names.lookup, autoSelectFamily });
      asked.at(-1)!.answer(['127.0.0.1']);
      await once(socket, 'connect');
      socket.destroy();
    }
    server.close();
  });
});
