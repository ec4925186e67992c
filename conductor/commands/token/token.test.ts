import { describe, expect, it } from '@jest/globals';
import { holderOfToken, parseTokenFile } from '../../../rpc/server/access/token-file.js';
import { EXIT } from '../exit-codes.js';
import { runCommand } from '../index.js';

async function run(...argv: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCommand(argv, {
    print: (line) => out.push(line),
    note: (line) => err.push(line),
    env: {},
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

describe('baton token new', () => {
  it('prints the token alone, and separately the line that makes it valid', async () => {
    const { code, out, err } = await run('token', 'new', 'batcher', '--role', 'read,sequencer');

    expect(code).toBe(EXIT.ok);
    expect(out).toEqual([expect.stringMatching(/^baton_[\w-]{43}$/)]);
    const line = err.at(-1) as string;
    expect(line).not.toContain(out[0]);
    expect(holderOfToken(parseTokenFile(line), out[0] as string)).toMatchObject({
      name: 'batcher',
      roles: ['read', 'sequencer'],
    });
  });

  it('never prints the same token twice', async () => {
    const tokens = await Promise.all(
      [1, 2].map(async () => (await run('token', 'new', 'a', '--role', 'read')).out[0]),
    );
    expect(new Set(tokens).size).toBe(2);
  });

  it.each([
    [['token', 'new', 'batcher', '--role', 'root'], 'the roles are read, sequencer, operate, emergency'],
    [['token', 'new', 'bat cher', '--role', 'read'], 'expected NAME ROLE'],
    [['token', 'new', '-batcher!', '--role', 'read'], 'unknown option'],
    [['token', 'new', 'batcher'], "required option '--role <role,…>' not specified"],
  ])('refuses %j', async (argv, problem) => {
    const { code, out, err } = await run(...argv);
    expect(code).toBe(EXIT.usage);
    expect(out).toEqual([]);
    expect(err.join('\n')).toContain(problem);
  });
});
