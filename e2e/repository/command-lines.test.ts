import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { flagNames, namesOf } from '../../conductor/config/flag-table.js';
import { readDocument } from './named-tests.js';

const DOCUMENTS = ['docs/RUNBOOK.md', 'docs/MIGRATION.md', 'README.md', 'docs/ERRORS.md', 'docs/SECURITY.md'];

/** What these pages say of other programs. */
const OPTIONS_OF_OTHERS = [
  // op-node
  '--conductor.enabled',
  '--conductor.rpc',
  '--p2p.sequencer.key',
  '--rpc.admin-state',
  '--sequencer.enabled',
  '--sequencer.stopped',
  // Node.js
  '--cpu-prof',
  // docker
  '--init',
];

const OPTION = /(?<![\w.-])--[a-z][\w.-]*/g;
/** Up to the end of the code span or of the line; a line of a block may go on after a backslash. */
const COMMAND_LINE = /(?:(?<![\w./-])baton +|`baton\s+)([a-z][\w-]*)((?:\\\n|[^`\n;|&])*)/g;

const optionsIn = (text: string): string[] => [...text.matchAll(OPTION)].map(([name]) => name);

/** The options of each command, by its help; those of `baton run`, which `baton doctor` takes too, by their table. */
function optionsByCommand(): Map<string, Set<string>> {
  const folder = path.join(repositoryRoot, 'conductor/commands/golden/help');
  const run = [...flagNames.flatMap(namesOf).map((name) => `--${name}`), '--help', '--version'];
  const commands = new Map([['run', new Set(run)]]);
  for (const file of readdirSync(folder)) {
    // `token.new` is a part of `token`.
    const [command = ''] = file.split('.');
    if (command === 'baton') continue;
    const help = readFileSync(path.join(folder, file), 'utf8');
    const own = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z][\w.-]*)/gm)].map(([, name]) => name as string);
    const before = commands.get(command) ?? (command === 'doctor' ? run : []);
    commands.set(command, new Set([...before, ...own]));
  }
  return commands;
}

const commands = optionsByCommand();
const known = new Set([...commands.values()].flatMap((options) => [...options]));

/** Whether it is an option, or stands for several: `--rpc.tls.…`. */
const isKnown = (option: string, options: ReadonlySet<string>): boolean =>
  option.endsWith('.')
    ? options.has(option.slice(0, -1)) || [...options].some((each) => each.startsWith(option))
    : options.has(option);

describe.each(DOCUMENTS)('%s', (document) => {
  const page = readDocument(document);
  const commandLines = [...page.matchAll(COMMAND_LINE)].map(([, command, rest]) => ({
    command: command as string,
    options: optionsIn(rest as string),
  }));

  it('names commands that exist, with options that they take', () => {
    expect(commandLines).not.toEqual([]);
    const wrong = commandLines.flatMap(({ command, options }) => {
      const own = commands.get(command);
      if (!own) return [`baton ${command}`];
      return options.filter((option) => !isKnown(option, own)).map((option) => `baton ${command} ${option}`);
    });
    expect(wrong).toEqual([]);
  });

  it('names options that some command takes', () => {
    const all = new Set([...known, ...OPTIONS_OF_OTHERS]);
    expect(optionsIn(page).filter((option) => !isKnown(option, all))).toEqual([]);
  });
});

describe('the options of other programs', () => {
  it('are no longer listed than they are named, nor where Baton has them', () => {
    const named = new Set(DOCUMENTS.flatMap((document) => optionsIn(readDocument(document))));
    expect(OPTIONS_OF_OTHERS.filter((option) => !named.has(option) || known.has(option))).toEqual([]);
  });
});
