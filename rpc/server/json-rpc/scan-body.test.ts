import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ScannedBody } from './scan-body.js';
import { scanBody } from './scan-body.js';

/** Texts of the first value and of the ids. */
function scan(body: string | Buffer): { value: string; ids: (string | undefined)[] } | string {
  const bytes = Buffer.from(body);
  const scanned = scanBody(bytes);
  if (typeof scanned === 'string') return scanned;
  const text = ({ start, end }: { start: number; end: number }): string => bytes.toString('utf8', start, end);
  return { value: text(scanned), ids: Array.from(scanned.ids, (span) => span && text(span)) };
}

describe('scanBody', () => {
  it.each<[string, (string | undefined)[]]>([
    ['{"id":1e3}', ['1e3']],
    ['{"id" : \t-12345678901234567890 , "a":[]}', ['-12345678901234567890']],
    ['{"method":"x","params":[{"id":1}],"id":"a\\"}"}', ['"a\\"}"']],
    ['{"id":1,"id":2}', ['2']],
    ['{"x":"id","y":["id"],"id":null}', ['null']],
    ['{"\\u0069d":1e3}', ['1e3']],
    ['{"id":1,"i\\u0064":2,"\\u0069":3,"id\\u0064":4,"\\i\\d":5}', ['2']],
    ['{"a":1,"b":{"id":7}}', []],
    ['{"id":[1]}', []],
    [
      '[{"id":1},{"a":[1,2,{"id":0}],"id":2},3,{"a":1},{"id":true}]',
      ['1', '2', undefined, undefined, 'true'],
    ],
    ['["id",{"id":5}]', [undefined, '5']],
  ])('finds the ids of %s', (body, ids) => {
    expect(scan(body)).toEqual({ value: body, ids });
  });

  it.each<[string, (number | undefined)[]]>([
    ['{"params":[1, {"params":2}],"id":1}', [17]],
    ['{"method":"params","id":"params"}', []],
    ['{"params" : null }', [5]],
    ['{"a":{"params":[1]}}', []],
    ['[{"params":[]},{},{"params":["]}"]}]', [2, undefined, 6]],
  ])('measures the params of %s', (body, sizes) => {
    const scanned = scanBody(Buffer.from(body)) as ScannedBody;
    expect(Array.from(scanned.paramsBytes)).toEqual(sizes);
  });

  it.each([
    ['{"a":1} trailing', '{"a":1}'],
    ['{"a":1}{"b":2}', '{"a":1}'],
    [' \n\t[{}]]', '[{}]'],
    ['3 4', '3'],
    ['"x" y', '"x"'],
  ])('ends %s after the first value', (body, value) => {
    expect(scan(body)).toMatchObject({ value });
  });

  it.each(['', '  \r\n\t'])('calls %j empty', (body) => {
    expect(scan(body)).toBe('empty');
  });

  it.each(['{', '{"a', '{"a\\', '{"id":"', '[[]', '{"id":1', '"', `{"a":"${'x'.repeat(100)}\\"`])(
    'calls %s malformed',
    (body) => {
      expect(scan(body)).toBe('malformed');
    },
  );

  it('gives up on nesting that Go gives up on', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(scan(nested(10_000))).toMatchObject({ value: nested(10_000) });
    expect(scan(nested(10_001))).toBe('malformed');
  });

  it('gives up on more values than any real request has', () => {
    expect(typeof scan(`[${'0,'.repeat(262_000)}0]`)).toBe('object');
    for (const value of ['0', '{}', '[]', '""', '{"a":1}']) {
      expect(scan(`[${`${value},`.repeat(300_000)}0]`)).toBe('too-many-values');
    }
  });

  it('agrees with JSON.parse on where a value ends, with any text after it', () => {
    const suffix = fc.oneof(fc.constant(''), fc.string(), fc.constant('}]"'));
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3), suffix, (value, indent, after) => {
        const body = Buffer.from(`${JSON.stringify({ value }, null, indent)}${after}`);
        const { start, end } = scanBody(body) as ScannedBody;
        expect(JSON.parse(body.toString('utf8', start, end))).toEqual(JSON.parse(JSON.stringify({ value })));
      }),
      { numRuns: 1000 },
    );
  });

  it('ends strings at the right quote, even with many backslashes and quotes', () => {
    const piece = fc.constantFrom('\\', '"', 'a', 'x'.repeat(40), '\u20ac');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 300 }), (pieces) => {
        const id = JSON.stringify(pieces.join(''));
        expect(scan(`{"id":${id},"a":${id}}]`)).toEqual({ value: `{"id":${id},"a":${id}}`, ids: [id] });
      }),
      { numRuns: 500 },
    );
  });
});
