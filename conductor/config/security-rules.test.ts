import { describe, expect, it } from '@jest/globals';
import { configOf, problemsOf, requiredArguments } from './testing/command-line.js';

const TLS = ['--raft.tls.cert=/c', '--raft.tls.key=/k', '--raft.tls.ca=/a'];
const SECRET = '--raft.secret-file=/s';

const problems = (...more: string[]): string[] => problemsOf([...requiredArguments, ...more]);

describe('the security of the consensus port', () => {
  it.each<[string, string[], object]>([
    ['none', [], { kind: 'open' }],
    ['a secret', [SECRET], { kind: 'secret', secretPath: '/s', acceptsPlain: false }],
    [
      'certificates',
      [...TLS, '--raft.accept-plain'],
      { kind: 'certificate', certPath: '/c', keyPath: '/k', caPath: '/a', acceptsPlain: true },
    ],
  ])('is %s', (_, flags, security) => {
    expect(configOf(flags).consensus.security).toEqual(security);
  });

  it.each<[string, string[], string]>([
    ['files of certificates without the others', TLS.slice(1), 'only some of raft.tls.cert'],
    ['certificates and a secret', [...TLS, SECRET], 'contradict each other'],
    ['plain connections besides nothing else', ['--raft.accept-plain'], 'without anything that secures'],
  ])('is not %s', (_, flags, text) => {
    const found = problems(...flags);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(text);
  });
});
