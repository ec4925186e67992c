import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { Refusal } from '../../../rpc/server/access/refusal.js';
import { holderOfToken, tokenLine } from '../../../rpc/server/access/token-file.js';
import { configOf } from '../../config/testing/command-line.js';
import { RpcSecurity } from './rpc-security.js';
import { UnusableCredentialsError } from './unusable-credentials-error.js';

describe('the RPC port', () => {
  let folder: string;
  let lines: { code?: string; msg: string }[];
  let refusals: Refusal[];
  const ending = new AbortController();

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'baton-rpc-security-'));
    lines = [];
    refusals = [];
  });

  afterEach(async () => {
    ending.abort();
    await rm(folder, { recursive: true });
  });

  const securityOf = (...flags: string[]): RpcSecurity =>
    new RpcSecurity({
      rpc: configOf(flags).rpc,
      logger: pino({}, { write: (text) => void lines.push(JSON.parse(text) as { msg: string }) }),
      onRefusal: (refusal) => refusals.push(refusal),
    });

  it.each([
    [['--rpc.addr=0.0.0.0'], 'rpc-port-open'],
    [['--rpc.addr=10.0.0.1', '--rpc.token-file=/t'], 'rpc-port-plain'],
    [['--rpc.addr=0.0.0.0', '--rpc.token-file=/t', '--rpc.tls.cert=/c', '--rpc.tls.key=/k'], undefined],
    [['--rpc.addr=127.0.0.1'], undefined],
  ])('with %j says what is open: %s', (flags, code) => {
    securityOf(...flags);
    expect(lines.map((line) => line.code)).toEqual(code === undefined ? [] : [code]);
  });

  it('uses the file that it was given', async () => {
    const file = path.join(folder, 'tokens');
    await writeFile(file, tokenLine('alice', ['operate'], 'secret'));
    const security = securityOf('--rpc.addr=127.0.0.1', `--rpc.token-file=${file}`);
    await security.open(ending.signal);
    const holders = security.access.holders();
    expect(holders && holderOfToken(holders, 'secret')?.name).toBe('alice');
    expect(security.access.anonymousRoles).toEqual([]);
  });

  it('does not start with a file that cannot be used, and names the flag', async () => {
    const file = path.join(folder, 'tokens');
    await writeFile(file, 'alice root');
    const opening = securityOf('--rpc.addr=127.0.0.1', `--rpc.token-file=${file}`).open(ending.signal);
    await expect(opening).rejects.toThrow(UnusableCredentialsError);
    await expect(opening).rejects.toMatchObject({
      code: 'credential-file',
      message: expect.stringContaining('line 1'),
      remedy: expect.stringContaining('--rpc.token-file'),
    });
  });

  it('logs a refused call, unless it is one of many', () => {
    const { onRefusal } = securityOf('--rpc.addr=127.0.0.1').access;
    const refusal = { cause: 'no-credential', address: '10.0.0.9', holder: undefined, what: '/' } as const;
    onRefusal({ ...refusal, isOneOfMany: false });
    onRefusal({ ...refusal, isOneOfMany: true });
    expect(lines.map(({ msg }) => msg)).toEqual(['call refused on the RPC port']);
    expect(refusals).toHaveLength(2);
  });
});
