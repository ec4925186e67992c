import { expect, it } from '@jest/globals';
import { HostNames } from './host-names.js';

type Settle = { resolve: (addresses: readonly string[]) => void; reject: (error: Error) => void };

/** A name server whose answers the test gives. */
class NameServer {
  readonly asked: (Settle & { host: string })[] = [];
  readonly moved: unknown[] = [];
  readonly names = new HostNames({
    lookUp: (host) => new Promise((resolve, reject) => void this.asked.push({ host, resolve, reject })),
    onMoved: (...move) => void this.moved.push(move),
  });

  async answer(addresses: readonly string[]): Promise<void> {
    this.asked.at(-1)?.resolve(addresses);
    await this.names.find('a');
  }
}

it('one look-up at a time is under way for each name, shared by all callers', async () => {
  const { names, asked } = new NameServer();
  const found = [names.find('a'), names.find('b'), names.find('a')];
  expect(asked.map(({ host }) => host)).toEqual(['a', 'b']);
  asked[0]?.resolve(['10.0.0.1']);
  asked[1]?.resolve(['10.0.0.2']);
  expect(await Promise.all(found)).toEqual([['10.0.0.1'], ['10.0.0.2'], ['10.0.0.1']]);
  void names.find('a');
  expect(asked).toHaveLength(3);
});

it('an IP address needs no look-up', async () => {
  const { names, asked } = new NameServer();
  expect(await names.find('10.0.0.1')).toEqual(['10.0.0.1']);
  expect(await names.find('fd00::1')).toEqual(['fd00::1']);
  expect(asked).toEqual([]);
});

it('the result of a look-up is remembered after its caller has gone, and when the next one fails', async () => {
  const server = new NameServer();
  const { names } = server;
  expect(names.remembered('a')).toEqual([]);
  void names.find('a');
  await server.answer(['10.0.0.1', '10.0.0.2']);
  expect(names.remembered('a')).toEqual(['10.0.0.1', '10.0.0.2']);
  const next = names.find('a');
  server.asked.at(-1)?.reject(new Error('SERVFAIL'));
  await expect(next).rejects.toThrow('SERVFAIL');
  expect(names.remembered('a')).toEqual(['10.0.0.1', '10.0.0.2']);
});

it('the last good address comes first, until the name leads elsewhere', async () => {
  const server = new NameServer();
  const { names } = server;
  void names.find('a');
  await server.answer(['10.0.0.1', '10.0.0.2']);
  names.noteGood('a', '10.0.0.2');
  expect(names.remembered('a')).toEqual(['10.0.0.2', '10.0.0.1']);
  void names.find('a');
  await server.answer(['10.0.0.3']);
  expect(names.remembered('a')).toEqual(['10.0.0.3']);
});

it('an address where another node answers is not remembered', async () => {
  const server = new NameServer();
  const { names } = server;
  void names.find('a');
  await server.answer(['10.0.0.1']);
  names.noteGood('a', '10.0.0.1');
  names.noteWrong('a', '10.0.0.1');
  expect(names.remembered('a')).toEqual([]);
});

it('reports once that a name leads elsewhere, and ignores a change of order', async () => {
  const server = new NameServer();
  for (const addresses of [['1.1.1.1', '1.1.1.2'], ['1.1.1.2', '1.1.1.1'], ['1.1.1.3'], ['1.1.1.3']]) {
    void server.names.find('a');
    await server.answer(addresses);
  }
  expect(server.moved).toEqual([['a', ['1.1.1.2', '1.1.1.1'], ['1.1.1.3']]]);
});
