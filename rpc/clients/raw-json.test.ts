import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rawMembers } from './raw-json.js';

describe('rawMembers', () => {
  it('returns every value as it is written', () => {
    const json =
      ' {"a" : 1e3 ,"b":[ 1, {"x":"]}\\""} ], "c":"q\\\\", "d":null,"e":{},"f":-0.10,"a":18446744073709551615}\n';
    expect([...rawMembers(json)!]).toEqual([
      ['a', '18446744073709551615'],
      ['b', '[ 1, {"x":"]}\\""} ]'],
      ['c', '"q\\\\"'],
      ['d', 'null'],
      ['e', '{}'],
      ['f', '-0.10'],
    ]);
    expect([...rawMembers(' { } ')!]).toEqual([]);
  });

  it.each([
    '',
    '[]',
    '"x"',
    '{',
    '{"a"',
    '{"a":',
    '{"a":}',
    '{"a":1',
    '{"a":[1}',
    '{"a":"x}',
    '{"a":1}x',
    '{a:1}',
    '{"a":1,}',
    '{"a" 1}',
  ])('is null for %j', (json) => {
    expect(rawMembers(json)).toBeNull();
  });

  it('finds what JSON.parse finds, in any object', () => {
    const objects = fc.dictionary(
      // Names that need no escapes: clients read no others.
      fc.stringMatching(/^[a-z_]{1,5}$/),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1), (object, indent) => {
        const members = rawMembers(JSON.stringify(object, null, indent));
        const parsed = [...members!].map(([name, text]) => [name, JSON.parse(text) as unknown]);
        expect(Object.fromEntries(parsed)).toEqual(JSON.parse(JSON.stringify(object)));
      }),
    );
  });
});
