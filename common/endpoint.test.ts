import { describe, expect, it } from '@jest/globals';
import {
  below,
  endpointProblem,
  hideCredentials,
  hostOf,
  HTTP,
  parseEndpoint,
  WEBSOCKET,
  withoutQuery,
} from './endpoint.js';

const sent = (text: string): string | undefined => {
  const { authorization } = parseEndpoint(text);
  return authorization && Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
};

describe('parseEndpoint', () => {
  it.each([
    ['http://user:pw@h:1/p?q=1#f', 'user:pw'],
    ['http://user:p%40s%25s%21@h', 'user:p@s%s!'],
    ['http://user:pä ss@h', 'user:pä ss'],
    ['http://:secret@h', ':secret'],
    ['http://key@h', 'key:'],
    ['http://h', undefined],
  ])('sends the user name and password of %s', (text, expected) => {
    expect(sent(text)).toBe(expected);
  });

  it.each([
    ['http://user:pw@h:1/p/?q=1#f', HTTP, 'http://h:1/p/?q=1', 'http://h:1'],
    ['HTTPS://user:pw@h', HTTP, 'https://h/', 'https://h'],
    ['http://user:pw@[::1]:8545', HTTP, 'http://[::1]:8545/', 'http://[::1]:8545'],
    ['wss://user:pw@[fe80::1]:1/ws?key=k', WEBSOCKET, 'wss://[fe80::1]:1/ws?key=k', 'wss://[fe80::1]:1'],
  ])('dials and shows %s without them', (text, protocols, url, origin) => {
    expect(parseEndpoint(text, protocols)).toMatchObject({ url, origin });
  });

  it.each([
    ['geth:8545', 'begins with http:// or https://'],
    ['localhost:8545', 'begins with http:// or https://'],
    ['s3cret', 'begins with http:// or https://'],
    ['ws://user:s3cret@h', 'begins with http:// or https://'],
    ['http://user:s3cret/x@h', 'write / as %2F'],
    ['http://user:s3cret@', 'give a URL'],
    ['http://user:s3cret@::1:8545', 'give a URL'],
    ['http://user:s3cret%ss@h', 'write % as %25'],
    ['http://us%er:s3cret@h', 'write % as %25'],
  ])('says what is wrong with %s, and nothing of it', (text, expected) => {
    const problem = endpointProblem(text);
    expect(problem).toContain(expected);
    expect(problem).not.toContain('s3cret');
    expect(() => parseEndpoint(text)).toThrow(problem);
  });

  it('finds nothing wrong with a usable URL', () => {
    expect(endpointProblem('http://user:pw@h')).toBeUndefined();
  });
});

describe('an endpoint', () => {
  it.each([
    ['http://h', 'http://h/healthz'],
    ['http://user:pw@h/a/', 'http://h/a/healthz'],
    ['http://h/a?key=k', 'http://h/a/healthz?key=k'],
  ])('%s has others below it', (text, url) => {
    const endpoint = parseEndpoint(text);
    expect(below(endpoint, '/healthz')).toEqual({ ...endpoint, url });
  });

  it('has a name without its query', () => {
    expect(withoutQuery(parseEndpoint('ws://user:pw@h:1/ws?key=k', WEBSOCKET))).toBe('ws://h:1/ws');
  });
});

describe('hostOf', () => {
  it.each([
    ['https://H:1/p', 'h:1'],
    ['http://[::1]:1', '[::1]:1'],
    ['null', undefined],
  ])('%s', (text, host) => {
    expect(hostOf(text)).toBe(host);
  });
});

describe('hideCredentials', () => {
  it.each([
    ['--node.rpc http://user:pw@h:1/p', '--node.rpc http://***@h:1/p'],
    ['http://user:p@w/d?@h', 'http://***@h'],
    ['"ws://a:b@h","wss://c:d@i/x"', '"ws://***@h","wss://***@i/x"'],
    ['http://user:a,b@h', 'http://***@h'],
    ['mail me@example.org, http://h/p', 'mail me@example.org, http://h/p'],
  ])('%s', (text, expected) => {
    expect(hideCredentials(text)).toBe(expected);
  });
});
