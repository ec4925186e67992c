import { beforeAll, describe, expect, it } from '@jest/globals';
import { TestAuthority } from '../testing/certificates.js';
import { readCertificate } from './read-certificate.js';
import { readSecrets } from './read-secrets.js';
import { SecurityError } from './security-error.js';
import type { CertificateTexts } from './security.js';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

let authority: TestAuthority;
let other: TestAuthority;
let good: CertificateTexts;
beforeAll(async () => {
  [authority, other] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  good = await authority.issue({ uris: ['baton:a'] });
});

const problemOf = (read: () => unknown): { code?: string; message: string; remedy?: string } => {
  try {
    read();
  } catch (error) {
    if (error instanceof SecurityError) return error;
    throw error;
  }
  return { message: 'nothing is wrong' };
};

describe('a certificate', () => {
  it('that names the node is read, with the end of its life and of its authority', () => {
    const { kind, expiresMs, caExpiresMs } = readCertificate(good, 'a');
    expect(kind).toBe('certificate');
    expect(Math.round((expiresMs - Date.now()) / 86_400_000)).toBe(30);
    expect(Math.round((caExpiresMs - Date.now()) / 86_400_000)).toBe(30);
  });

  it('that has expired is read as well: the peers say so', async () => {
    const expired = await authority.issue({ uris: ['baton:a'], fromDays: -3, untilDays: -1 });
    expect(readCertificate(expired, 'a').expiresMs).toBeLessThan(Date.now());
  });

  it('may come from any authority of the file, as while the authority changes', () => {
    expect(readCertificate({ ...good, ca: `${other.pem}\n${authority.pem}` }, 'a').kind).toBe('certificate');
  });

  it.each<[string, (texts: CertificateTexts) => Promise<Partial<CertificateTexts>>]>([
    ['unreadable-certificate', async () => ({ cert: 'no certificate' })],
    ['unreadable-certificate', async () => ({ ca: '' })],
    [
      'unreadable-certificate',
      async () => ({ cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }),
    ],
    ['unreadable-key', async () => ({ key: 'no key' })],
    ['key-mismatch', async () => ({ key: (await authority.issue({ uris: ['baton:a'] })).key })],
    ['id-not-named', () => authority.issue({ uris: ['baton:b'], dnsNames: ['a'] })],
    ['id-not-named', () => authority.issue({})],
    ['wrong-purpose', () => authority.issue({ uris: ['baton:a'], purposes: [SERVER_AUTH] })],
    ['wrong-ca', async () => ({ ca: other.pem })],
  ])('is refused with %s', async (code, change) => {
    const texts = { ...good, ...(await change(good)) };
    const { remedy, ...problem } = problemOf(() => readCertificate(texts, 'a'));
    expect(problem.code).toBe(code);
    expect(remedy).not.toBe('');
  });

  it('is refused without quoting the key', () => {
    const key = good.key.replace('PRIVATE', 'BROKEN').replaceAll('-----', '~~~~~');
    const { message } = problemOf(() => readCertificate({ ...good, key }, 'a'));
    for (const line of key.split('\n')) expect(message).not.toContain(line);
  });
});

describe('secrets', () => {
  const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(32));

  it('are read one on a line, and the first one is the one in use', () => {
    const { keys } = readSecrets(`\n  ${one}\r\n${two}\n`);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toEqual(readSecrets(one!).keys[0]);
    expect(new Set(keys.map(({ identity }) => identity)).size).toBe(2);
  });

  it('reveal neither themselves nor the key in their names', () => {
    const [{ identity, key }] = readSecrets(one!).keys as [{ identity: string; key: Buffer }];
    expect(identity).toMatch(/^[0-9a-f]{32}$/);
    expect(key.toString('hex')).not.toContain(identity);
    expect(identity).not.toContain('1111');
  });

  it.each([
    ['no-secret', ''],
    ['no-secret', `${one}\n${two}\n${three}`],
    ['weak-secret', 'a'.repeat(31)],
    ['weak-secret', `${one}\nshort`],
  ])('are refused with %s', (code, text) => {
    const { message, ...problem } = problemOf(() => readSecrets(text));
    expect(problem).toMatchObject({ code });
    expect(message).not.toContain('aaa');
  });
});
