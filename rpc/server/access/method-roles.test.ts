import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { repositoryRoot } from '../../../common/testing/repository-root.js';
import { JsonRpcClient } from '../../clients/json-rpc-client.js';
import { conductorMethods } from '../conductor-methods.js';
import { withBuiltinMethods } from '../json-rpc/builtin-methods.js';
import { sequencerMethods } from '../sequencer-methods.js';
import { proxyMethods } from '../proxy-methods.js';
import { FakeConductor } from '../testing/fake-conductor.js';
import { METHOD_ACCESS, rolesNeeded } from './method-roles.js';
import { grants, type Role } from './roles.js';

describe('roles', () => {
  it('are known for every method on the port, and for no other', () => {
    const backend = new JsonRpcClient({ url: 'http://127.0.0.1:1' });
    const proxied = proxyMethods({
      node: backend,
      execution: backend,
      isLeader: () => true,
      logger: pino({ level: 'silent' }),
    });
    const methods = withBuiltinMethods(
      new Map([
        ...conductorMethods(new FakeConductor(true)),
        ...sequencerMethods({ start: async () => undefined, stop: async () => null }),
        ...proxied,
      ]),
      'v0',
    );
    expect(Object.keys(METHOD_ACCESS).sort()).toEqual([...methods.keys(), 'conductor_debug'].sort());
  });

  it.each<[Role, string, unknown[], boolean]>([
    ['read', 'conductor_status', [], true],
    ['read', 'conductor_pause', [], false],
    ['read', 'conductor_commitUnsafePayload', [], false],
    ['sequencer', 'conductor_commitUnsafePayload', [], true],
    ['sequencer', 'conductor_leader', [], true],
    ['sequencer', 'conductor_status', [], false],
    ['operate', 'conductor_status', [], true],
    ['operate', 'conductor_pause', [], true],
    ['operate', 'conductor_removeServer', ['s1', 0, false], true],
    ['operate', 'conductor_removeServer', ['s1', 0, true], false],
    ['emergency', 'conductor_removeServer', ['s1', 0, true], true],
    ['operate', 'conductor_commitUnsafePayload', [], false],
    ['operate', 'conductor_overrideLeader', [true], false],
    ['emergency', 'conductor_overrideLeader', [true], true],
    ['emergency', 'conductor_commitUnsafePayload', [], false],
    ['operate', 'conductor_notListedYet', [], false],
    ['operate', 'toString', [], false],
  ])('%s: %s %j: %s', (role, method, args, expected) => {
    expect(grants([role], rolesNeeded(method, args))).toBe(expected);
  });
});

describe('docs/SECURITY.md', () => {
  it('has the role of every method', async () => {
    const text = await readFile(path.join(repositoryRoot, 'docs/SECURITY.md'), 'utf8');
    const documented: Record<string, string> = Object.fromEntries(
      [...text.matchAll(/^\| `(\w+)` +\| (.*?) +\|$/gm)].map(([, name = '', roles = '']) => [name, roles]),
    );
    const quoted = (roles: readonly Role[]): string => roles.map((role) => `\`${role}\``).join(', ');
    const expected = Object.entries(METHOD_ACCESS).map(([name, { roles, forced }]) => [
      name,
      forced ? `${quoted(roles)}; with force: ${quoted(forced.roles)}` : quoted(roles),
    ]);
    expect(documented).toEqual(Object.fromEntries(expected));
  });
});
