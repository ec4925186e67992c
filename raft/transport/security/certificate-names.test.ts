import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TestAuthority, type CertificateChoice } from '../testing/certificates.js';
import { serverIdsIn, uriOf } from './certificate-names.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.make();
});

async function idsOf(choice: CertificateChoice): Promise<string[]> {
  const { cert } = await authority.issue(choice);
  return [...serverIdsIn(new X509Certificate(cert).subjectAltName)];
}

describe('the server ids of a certificate', () => {
  it.each<[string, CertificateChoice, string[]]>([
    ['a URI', { uris: ['baton:sequencer-0'] }, ['sequencer-0']],
    ['a URI that had to be encoded', { uris: ['baton:s%2C%20URI%3Abaton%3Ax%25'] }, ['s, URI:baton:x%']],
    ['URIs before DNS names', { uris: ['baton:a'], dnsNames: ['b'] }, ['a']],
    ['DNS names as they are', { dnsNames: ['a', 'a.ns.svc'] }, ['a', 'a.ns.svc']],
    ['DNS names beside URIs of others', { uris: ['spiffe://x/a'], dnsNames: ['b'] }, ['b']],
    ['no wildcard', { dnsNames: ['*', '*.ns.svc'] }, []],
    [
      'no URI that cannot be decoded, and no DNS name beside it',
      { uris: ['baton:%zz'], dnsNames: ['b'] },
      [],
    ],
    ['no DNS name that pretends to be two', { dnsNames: ['b, URI:baton:a'] }, ['b, URI:baton:a']],
    ['none', {}, []],
  ])('are those of %s', async (_, choice, ids) => {
    expect(await idsOf(choice)).toEqual(ids);
  });

  it('come through a certificate unchanged, for any id', async () => {
    const id = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(id, async (serverId) => {
        expect(await idsOf({ uris: [uriOf(serverId)] })).toEqual([serverId]);
      }),
      { numRuns: 100 },
    );
  });

  it('are never more than the entries of the text, even for arbitrary text', () => {
    const piece = fc.oneof(
      fc.constantFrom('URI:baton:', 'DNS:', ', ', '"', '\\', '\\u002c', '%2C', 'a', '*', 'IP Address:'),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const entries = text.split(/(?:URI|DNS):/).length - 1;
        expect(serverIdsIn(text).size).toBeLessThanOrEqual(entries);
      }),
      { numRuns: 50_000 },
    );
  });
});
