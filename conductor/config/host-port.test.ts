import { describe, expect, it } from '@jest/globals';
import { formatHostPort, isWildcard, parseHostPort, withoutBrackets } from './host-port.js';

describe('host and port', () => {
  it.each([
    ['h:1', 'h', 1],
    ['10.0.0.1:65535', '10.0.0.1', 65_535],
    ['[::1]:50050', '::1', 50_050],
    ['[2001:db8::10.0.0.1]:50050', '2001:db8::10.0.0.1', 50_050],
  ])('%s is read and written', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
    expect(formatHostPort(host, port)).toBe(text);
  });

  it.each([
    '::1:50050',
    '::1',
    '[::1]',
    '[1:2]:3',
    '[10.0.0.1]:3',
    '[fe80::1%eth0]:3',
    'h:0',
    'h:65536',
    'u@h:1',
  ])('%s is not an address', (text) => {
    expect(parseHostPort(text)).toBeNull();
  });

  it.each([
    ['[::1]', '::1'],
    ['[fe80::1%eth0]', 'fe80::1%eth0'],
    ['::1', '::1'],
    ['h', 'h'],
    ['[h]', '[h]'],
  ])('%s is listened on as %s', (given, host) => {
    expect(withoutBrackets(given)).toBe(host);
  });

  it('recognises hosts that mean all interfaces', () => {
    expect(['0.0.0.0', '::', '[::]', '::1', 'localhost'].map(isWildcard)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
