import type { Rule } from './config-error.js';
import type { FlagValues } from './flag-table.js';

const TLS_FLAGS = ['raft.tls.cert', 'raft.tls.key', 'raft.tls.ca'] as const;

const givenTlsFlags = (values: FlagValues): number => TLS_FLAGS.filter((flag) => values[flag] !== '').length;

/** One way to secure the consensus port, complete. */
export const securityRules: readonly Rule[] = [
  {
    flags: [...TLS_FLAGS],
    violated: (values) => ![0, TLS_FLAGS.length].includes(givenTlsFlags(values)),
    text: 'only some of raft.tls.cert, raft.tls.key and raft.tls.ca are given',
    remedy: 'give all three files, or none',
  },
  {
    flags: ['raft.secret-file', ...TLS_FLAGS],
    violated: (values) => values['raft.secret-file'] !== '' && givenTlsFlags(values) > 0,
    text: 'raft.secret-file and raft.tls contradict each other',
    remedy: 'give certificates, or a secret where there is no authority to issue them',
  },
  {
    flags: ['raft.accept-plain'],
    violated: (values) =>
      values['raft.accept-plain'] && values['raft.secret-file'] === '' && givenTlsFlags(values) === 0,
    text: 'raft.accept-plain is given without anything that secures connections',
    remedy:
      'give raft.tls or raft.secret-file as well, or leave it out: without these, connections are plain',
  },
];
