import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { configOf } from '../config/testing/command-line.js';
import { Metrics } from '../metrics/metrics.js';
import { createSecurity } from './consensus.js';

function securityOf(...flags: string[]): { secured: boolean; codes: unknown[] } {
  const codes: unknown[] = [];
  const logger = pino({}, { write: (text) => void codes.push((JSON.parse(text) as { code?: string }).code) });
  const security = createSecurity(configOf(flags), new Metrics('').security, logger);
  return { secured: security !== undefined, codes };
}

describe('the consensus port', () => {
  it.each(['0.0.0.0', '::', '10.0.0.1', 'sequencer-0.example'])(
    'warns if it listens on %s without security',
    (host) => {
      const flags = [`--consensus.addr=${host}`, '--consensus.advertised=a.example:1'];
      expect(securityOf(...flags)).toEqual({ secured: false, codes: ['consensus-port-open'] });
      expect(securityOf(...flags, '--raft.secret-file=/s')).toEqual({ secured: true, codes: [] });
    },
  );

  it.each(['127.0.0.1', '127.1.2.3', '[::1]', 'localhost'])('does not warn on %s', (host) => {
    expect(securityOf(`--consensus.addr=${host}`)).toEqual({ secured: false, codes: [] });
  });
});
