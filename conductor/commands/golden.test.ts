import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expectCommitted, orphansIn } from '../../raft/testing/committed-text.js';
import { runCommand } from './index.js';
import { addr, CommandLine } from './testing/command-line.js';

/** Golden files; `npm run rewrite` writes them. */
const FOLDER = fileURLToPath(new URL('golden', import.meta.url));

let t: CommandLine;

beforeEach(async () => {
  t = await CommandLine.start();
});
afterEach(() => t.stop());

/** The output of a command. */
async function output(...argv: string[]): Promise<string> {
  t.printed.length = 0;
  expect(await runCommand(argv, t.io())).toBe(0);
  return `${t.printed.join('\n')}\n`;
}

describe('the help', () => {
  it('exists for every command, and for no others', async () => {
    const written = new Set<string>();
    const expectHelp = (name: string, text: string): void => {
      written.add(`${name}.txt`);
      expectCommitted(path.join(FOLDER, 'help', `${name}.txt`), text);
    };
    const all = await output('--help');
    expectHelp('baton', all);
    const commandsIn = (help: string): string[] => {
      const [, list = ''] = help.split('Commands:');
      // main.ts and commander answer these two.
      const names = [...list.matchAll(/^ {2}([a-z][a-z-]+)/gm)].map(([, name]) => name!);
      return names.filter((name) => name !== 'run' && name !== 'help');
    };
    expect(all).toMatch(/^ {2}run /m);
    for (const name of commandsIn(all)) {
      const help = await output('help', name);
      expectHelp(name, help);
      for (const part of commandsIn(help)) expectHelp(`${name}.${part}`, await output(name, part, '--help'));
    }
    expect(orphansIn(path.join(FOLDER, 'help'), written)).toEqual([]);
  });
});

describe('12: the result of a change, as a document', () => {
  const CHANGES: Record<string, { argv: string[]; then: () => void }> = {
    transfer: { argv: ['transfer', 'b'], then: () => t.cluster.lead('b') },
    pause: { argv: ['pause', 'c'], then: () => t.cluster.change('c', { paused: true }) },
    remove: { argv: ['remove', 'c', '--force'], then: () => void (t.cluster.get('c').suffrage = null) },
    demote: { argv: ['demote', 'c', '--force'], then: () => void (t.cluster.get('c').suffrage = 1) },
    override: {
      argv: ['override', 'b', '--force'],
      then: () => t.cluster.change('b', { leaderOverridden: true }),
    },
  };

  it.each(Object.entries(CHANGES))('%s', async (name, { argv, then }) => {
    t.cluster.onCall = () => (then(), { result: null });
    const rpc = ['--rpc', t.cluster.url('a'), '--yes', '-o', 'json', '--reason', 'upgrade'];
    const text = (await output(...argv, ...rpc)).replace(/\(\d+\.\d s\)/g, '(0.0 s)');
    expectCommitted(path.join(FOLDER, 'changes', `${name}.json.txt`), text);
    // A person who watches sees the same on stderr.
    expect(t.noted).toEqual(expect.arrayContaining(['Reason: upgrade']));
  });

  it('says that it is a rehearsal', async () => {
    const text = await output('transfer', 'b', '--dry-run', '-o', 'yaml', '--rpc', t.cluster.url('a'));
    expect(text).toMatch(/^schemaVersion: 1\ndryRun: true\nplan:\n {2}- Leadership and sequencing will move/);
    expect(t.cluster.calls).toEqual([]);
  });

  it('reports a failure as an error with the plan', async () => {
    t.answer = null;
    expect(await t.baton('remove', 'c', '--force', '--json')).toBe(3);
    expect(JSON.parse(t.printed.join('\n'))).toMatchObject({
      schemaVersion: 1,
      plan: [expect.stringContaining('c will be removed'), expect.any(String)],
      error: { code: 'unconfirmed', remedy: expect.any(String) },
    });
  });

  it('describes an added member', async () => {
    await t.cluster.add('d', null);
    t.cluster.onCall = () => ((t.cluster.get('d').suffrage = 0), { result: null });
    const text = await output('add', 'd', addr('d'), '--yes', '--json', '--rpc', t.cluster.url('a'));
    expect(JSON.parse(text)).toMatchObject({
      dryRun: false,
      leader: 'a',
      members: [{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd', addr: addr('d'), role: 'voter' }],
    });
  });
});
