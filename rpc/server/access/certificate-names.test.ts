import { describe, expect, it } from '@jest/globals';
import { alternativeNames } from './certificate-names.js';

describe('alternativeNames', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['DNS:a.example', ['a.example']],
    ['DNS:a, URI:spiffe://b/c, email:d@e, IP Address:127.0.0.1', ['a', 'spiffe://b/c', 'd@e']],
    // The separator of names is part of a name.
    ['URI:"x, DNS:admin, y"', ['x, DNS:admin, y']],
    ['DNS:"a\\"b", DNS:c', ['a"b', 'c']],
    // Not as Node writes it: none of it is trusted.
    ['DNS:a"b, DNS:admin', []],
    ['DNS:admin, URI:"\\x"', []],
    ['nonsense', []],
  ])('%s', (text, names) => {
    expect(alternativeNames(text)).toEqual(names);
  });
});
