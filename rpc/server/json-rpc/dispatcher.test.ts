import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import { MIB } from '../../../common/bytes.js';
import { RpcError } from './rpc-error.js';
import type { CallReport, ChangeReport } from './call-report.js';
import { FAITHFUL_CALLER } from './caller.js';
import { Dispatcher } from './dispatcher.js';
import type { Method } from './method-table.js';
import { ArgumentError, change, method } from './method-table.js';
import { boolParam, stringParam, uint64Param } from './params.js';

interface Fixture {
  handle: (body: string | Buffer) => Promise<string>;
  reports: CallReport[];
  logLines: string[];
}

const textOf = (parts: Buffer[]): string => Buffer.concat(parts).toString();

function fixture(): Fixture {
  const reports: CallReport[] = [];
  const logLines: string[] = [];
  const methods = new Map<string, Method>([
    ['test_echo', method([stringParam, uint64Param], (text, count) => ({ text, count }))],
    ['test_flag', method([boolParam], (flag) => flag)],
    ['test_nothing', method([], async () => undefined)],
    [
      'test_optional',
      method([{ optional: true, decode: (value) => value === undefined }], (absent) => absent),
    ],
    [
      'test_refuse',
      method([], () => {
        throw new RpcError('no <way>', { reason: 'refused', code: -32001, data: { retry: true } });
      }),
    ],
    [
      'test_crash',
      method([], async () => {
        throw new TypeError('secret detail');
      }),
    ],
    ['test_bigint', method([], () => 1n)],
    [
      'test_pick',
      method(
        [
          {
            decode: () => {
              throw new ArgumentError('not this one', 'picky');
            },
          },
        ],
        () => null,
      ),
    ],
  ]);
  const dispatcher = new Dispatcher({
    methods,
    logger: pino({ level: 'trace' }, { write: (line: string) => void logLines.push(line) }),
    onCall: (report) => void reports.push(report),
  });
  return { handle: (body) => dispatcher.handle(Buffer.from(body)).then(textOf), reports, logLines };
}

function request(name: string, params: string, id = '1'): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"${name}","params":${params}}`;
}

function failure(code: number, message: string): string {
  return `{"jsonrpc":"2.0","id":1,"error":{"code":${code},"message":${JSON.stringify(message)}}}\n`;
}

describe('Dispatcher', () => {
  it('reports each requested change: its caller, what it was, whether it failed', async () => {
    const told: ChangeReport[] = [];
    const methods = new Map([
      ['a_read', method([], () => null)],
      ['a_ok', change([stringParam], () => null)],
      ['a_no', change([], () => Promise.reject(new RpcError('no', { reason: 'not-leader' })))],
    ]);
    const onChange = (report: ChangeReport): void => void told.push(report);
    const dispatcher = new Dispatcher({ methods, logger: pino({ level: 'silent' }), onChange });
    const by = { address: '10.0.0.1:4000', owner: 'alice@host', reason: 'L1' };
    const ask = (name: string, params: string): Promise<unknown> =>
      dispatcher.handle(Buffer.from(request(name, params)), { ...FAITHFUL_CALLER, identity: by });
    await ask('a_read', '[]');
    await ask('a_ok', '["x"]');
    await ask('a_no', '[]');
    // An unreadable call requests nothing.
    await ask('a_ok', '[7]');
    expect(told).toEqual([
      { method: 'a_ok', params: ['x'], by, isRoutine: false },
      {
        method: 'a_no',
        params: [],
        by,
        isRoutine: false,
        failure: expect.objectContaining({ message: 'no' }),
      },
    ]);
  });

  it('passes decoded arguments and answers null for nothing', async () => {
    const { handle } = fixture();
    expect(await handle(request('test_echo', '["a",7]'))).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{"text":"a","count":7}}\n',
    );
    expect(await handle(request('test_nothing', 'null'))).toBe('{"jsonrpc":"2.0","id":1,"result":null}\n');
    expect(await handle(request('test_optional', '[]'))).toBe('{"jsonrpc":"2.0","id":1,"result":true}\n');
    expect(await handle(request('test_optional', '[null]'))).toBe(
      '{"jsonrpc":"2.0","id":1,"result":false}\n',
    );
  });

  it.each<[string, string, string]>([
    ['test_echo', '[]', 'missing value for required argument 0'],
    ['test_echo', '["a"]', 'missing value for required argument 1'],
    ['test_echo', '["a",null]', 'missing value for required argument 1'],
    ['test_echo', '["a",1,2]', 'too many arguments, want at most 2'],
    [
      'test_echo',
      '[1,2,3]',
      'invalid argument 0: json: cannot unmarshal number into Go value of type string',
    ],
    [
      'test_echo',
      '["a","1"]',
      'invalid argument 1: json: cannot unmarshal string into Go value of type uint64',
    ],
    [
      'test_echo',
      '["a",-1]',
      'invalid argument 1: json: cannot unmarshal number -1 into Go value of type uint64',
    ],
    [
      'test_echo',
      '["a",1.5]',
      'invalid argument 1: json: cannot unmarshal number 1.5 into Go value of type uint64',
    ],
    [
      'test_echo',
      '["a",9007199254740993]',
      'invalid argument 1: json: cannot unmarshal number 9007199254740992 into Go value of type uint64',
    ],
    ['test_flag', '[{}]', 'invalid argument 0: json: cannot unmarshal object into Go value of type bool'],
    ['test_flag', '[[]]', 'invalid argument 0: json: cannot unmarshal array into Go value of type bool'],
    ['test_flag', 'true', 'non-array args'],
    ['test_pick', '[1]', 'invalid argument 0: not this one'],
  ])('refuses %s(%s)', async (name, params, message) => {
    expect(await fixture().handle(request(name, params))).toBe(failure(-32602, message));
  });

  it('gives code, message and data of an RpcError to the client, escaped like Go', async () => {
    expect(await fixture().handle(request('test_refuse', '[]'))).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"no \\u003cway\\u003e","data":{"retry":true}}}\n',
    );
  });

  it.each(['test_crash', 'test_bigint'])('hides and logs the unexpected error of %s', async (name) => {
    const { handle, logLines } = fixture();
    expect(await handle(request(name, '[]'))).toBe(failure(-32603, 'method handler crashed'));
    expect(logLines).toHaveLength(1);
    expect(JSON.parse(logLines[0]!)).toMatchObject({ level: 50, method: name, err: { type: 'TypeError' } });
  });

  it.each(['constructor', '__proto__', 'toString', ''])('has no method %j by accident', async (name) => {
    expect(await fixture().handle(request(name, '[]'))).toMatch(/"code":-326(01|00)/);
  });

  it('reports every call, and unknown methods under one name', async () => {
    const { handle, reports } = fixture();
    await handle(request('test_flag', '[true]'));
    await handle('{"jsonrpc":"2.0","method":"test_flag","params":[1]}');
    await handle(request('made_up', '[]'));
    await handle(request('test_pick', '[1]'));
    expect(reports.map(({ method: name, error }) => [name, error?.code, error?.reason])).toEqual([
      ['test_flag', undefined, undefined],
      ['test_flag', -32602, 'invalid-argument'],
      ['unknown', -32601, 'method-not-found'],
      ['test_pick', -32602, 'picky'],
    ]);
    for (const { durationMs, decodeMs } of reports) {
      expect(decodeMs).toBeGreaterThanOrEqual(0);
      expect(durationMs).toBeGreaterThanOrEqual(decodeMs);
    }
  });

  it('reports the sizes of parameters and results as they are written', async () => {
    const { handle, reports } = fixture();
    const call = (more: string): string => `{"jsonrpc":"2.0","id":1,"method":"test_flag"${more}}`;
    await handle(call(',"params": [ true ]'));
    await handle(
      `[${call(',"params":[true]')},${call('')},{"params":[false],"jsonrpc":"2.0","method":"test_flag"}]`,
    );
    expect(reports.map(({ paramsBytes }) => paramsBytes)).toEqual([8, 6, 0, 7]);
    const answer = JSON.parse(await handle(call(',"params":[true]'))) as { result: unknown };
    expect(reports.at(-1)?.resultBytes).toBe(JSON.stringify(answer.result).length);
    expect(reports[2]?.resultBytes).toBe(0);
  });

  it('refuses a body with too many values before parsing it', async () => {
    const body = `[${'{},'.repeat(300_000)}{}]`;
    expect(await fixture().handle(body)).toContain('"code":-32600,"message":"invalid request: too many JSON');
  });

  it('refuses names of methods that are too long, as go-ethereum does', async () => {
    const { handle } = fixture();
    const name = 'x'.repeat(2049);
    expect(await handle(request(name, '[]'))).toContain(
      '-32600,"message":"method name too long: 2049 \\u003e 2048"',
    );
    expect(await handle(`{"jsonrpc":"2.0","method":"${name}"}`)).toBe('');
    expect(await handle(request(name.slice(1), '[]'))).toContain('"code":-32601');
  });

  it('does not carry out the rest of a batch whose client is gone', async () => {
    let calls = 0;
    const methods = new Map([['test_count', method([], () => ++calls)]]);
    const dispatcher = new Dispatcher({ methods, logger: pino({ level: 'silent' }) });
    const batch = Buffer.from(`[${Array<string>(10).fill(request('test_count', '[]')).join(',')}]`);
    await dispatcher.handle(batch, {
      ...FAITHFUL_CALLER,
      get isGone() {
        return calls === 3;
      },
    });
    expect(calls).toBe(3);
  });

  it('counts the answers to notifications, which cost as much, towards the limit of a batch', async () => {
    let calls = 0;
    const methods = new Map([['test_big', method([], () => (calls++, 'x'.repeat(MIB)))]]);
    const dispatcher = new Dispatcher({ methods, logger: pino({ level: 'silent' }) });
    const notification = '{"jsonrpc":"2.0","method":"test_big"}';
    const batch = Buffer.from(`[${Array<string>(100).fill(notification).join(',')}]`);
    const answer = textOf(await dispatcher.handle(batch));
    expect(answer).toContain('"code":-32003,"message":"response too large"');
    expect(calls).toBeLessThan(34);
  });

  it('echoes any scalar id as written', async () => {
    const { handle } = fixture();
    const number = fc.constantFrom('1e3', '-0', '1.50', '0.1E-7', '123456789012345678901234567890', '7');
    const id = fc.oneof(
      number,
      fc.constantFrom('null', 'true', 'false'),
      fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
      fc.constantFrom('"\\u0041"', '"\\/"', '""'),
    );
    await fc.assert(
      fc.asyncProperty(
        id,
        fc.constantFrom('test_nothing', 'made_up'),
        fc.boolean(),
        async (text, name, escaped) => {
          const call = request(name, '[]', text);
          const answer = await handle(escaped ? call.replace('"id"', '"\\u0069d"') : call);
          expect(answer.startsWith(`{"jsonrpc":"2.0","id":${text},"`)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('answers hostile bodies with nothing or with JSON-RPC', async () => {
    const { handle, logLines } = fixture();
    const member = fc.oneof(fc.jsonValue(), fc.constantFrom('2.0', 'test_echo', 'test_flag', 'made_up'));
    const message = fc.dictionary(fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'x'), member);
    const valid = fc
      .oneof(message, fc.array(fc.oneof(message, fc.jsonValue())))
      .map((value) => JSON.stringify(value));
    const body = fc.oneof(
      valid.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(valid, fc.nat(), fc.uint8Array({ maxLength: 3 })).map(([text, position, bytes]) => {
        const cut = position % (text.length + 1);
        return Buffer.concat([Buffer.from(text.slice(0, cut)), bytes, Buffer.from(text.slice(cut))]);
      }),
    );
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        const answer = await handle(bytes);
        if (answer === '') return;
        const parsed = JSON.parse(answer) as unknown;
        for (const response of Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]) {
          expect(response).toMatchObject({ jsonrpc: '2.0' });
          expect(Object.keys(response as object).slice(0, 2)).toEqual(['jsonrpc', 'id']);
          expect('result' in (response as object)).toBe(!('error' in (response as object)));
        }
      }),
      { numRuns: 3000 },
    );
    expect(logLines).toEqual([]);
  });
});
