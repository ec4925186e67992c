import { describe, expect, it } from '@jest/globals';
import {
  holderOfCertificate,
  holderOfToken,
  parseTokenFile,
  tokenLine,
  TokenFileError,
} from './token-file.js';

const HASH = 'a'.repeat(64);

describe('the file of holders', () => {
  it('names holders of tokens and of certificates, and allows a name on two lines', () => {
    const text = [
      '# who may do what',
      tokenLine('alice', ['operate'], 'first'),
      `${tokenLine('alice', ['operate'], 'second')}   # until Friday`,
      '',
      'grafana read cert:grafana.example',
      'batcher read,sequencer cert:spiffe://example/batcher\r',
    ].join('\n');

    const holders = parseTokenFile(text);

    const alice = expect.objectContaining({ name: 'alice', roles: ['operate'] });
    expect(holderOfToken(holders, 'first')).toEqual(alice);
    expect(holderOfToken(holders, 'second')).toEqual(alice);
    expect(holderOfToken(holders, 'third')).toBeUndefined();
    expect(holderOfCertificate(holders, ['other', 'grafana.example'])?.name).toBe('grafana');
    expect(holderOfCertificate(holders, ['spiffe://example/batcher'])?.roles).toEqual(['read', 'sequencer']);
    expect(holderOfCertificate(holders, [])).toBeUndefined();
  });

  it.each([
    ['alice operate', 'expected NAME ROLE'],
    ['alice operate sha256:00 more', 'expected NAME ROLE'],
    ['alice root sha256:' + HASH, 'the roles are read, sequencer, operate, emergency'],
    ['alice read, sha256:' + HASH, 'the roles are'],
    ['../alice read sha256:' + HASH, 'a name has 1 to 64 letters'],
    ['alice read sha256:' + HASH.slice(1), '64 hex digits'],
    ['alice read baton_secret', '64 hex digits'],
  ])('refuses %s', (line, problem) => {
    const error = (): unknown => parseTokenFile(`# first\n${line}\n`);
    expect(error).toThrow(TokenFileError);
    expect(error).toThrow(`line 2: `);
    expect(error).toThrow(problem);
  });

  it('does not repeat a word that may be a token pasted by mistake', () => {
    expect(() => parseTokenFile('alice read baton_secret')).not.toThrow('baton_secret');
  });
});
