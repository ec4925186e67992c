import { Argument, type Command } from 'commander';
import type { AddCommand, CommandIo } from './command.js';
import { configFile, stateFile } from './settings/folders.js';

const DESCRIPTION = 'print a script that completes commands in this shell: source <(baton completion bash)';
const SHELLS = ['bash', 'zsh', 'fish'];

/** `baton completion SHELL`, for the help: the library implements it. */
export const addCompletion: AddCommand = (program) => {
  program.command('completion').description(DESCRIPTION).addArgument(new Argument('<shell>').choices(SHELLS));
};

/** Whether the library handles this command line: the script, or a question of that script. */
export function isCompletion([first]: readonly string[]): boolean {
  return first === 'completion' || first === 'complete';
}

/** Teaches the library all commands, and the names in this user's files. */
export async function completeWith(program: Command, { env }: CommandIo): Promise<void> {
  const { default: tab } = await import('@bomb.sh/tab/commander');
  const root = tab(program, { completionCommandName: 'completion' });
  program.commands.find((command) => command.name() === 'completion')?.description(DESCRIPTION);
  const { flagNames, flags } = await import('../config/flag-table.js');
  for (const name of flagNames) root.commands.get('run')?.option(name, flags[name].usage);
  const [clusters, members] = await Promise.all([clusterNames(env), memberIds(env)]);
  for (const { options, arguments: places } of root.commands.values()) {
    const cluster = options.get('cluster');
    if (cluster) cluster.handler = (complete) => clusters.forEach((name) => complete(name, 'cluster'));
    for (const name of ['id', 'ids', 'old']) {
      const place = places.get(name);
      if (place) place.handler = (complete) => members.forEach((id) => complete(id, 'member'));
    }
  }
}

/** An error would not be seen in the middle of a line that is being typed. */
async function clusterNames(env: CommandIo['env']): Promise<string[]> {
  const file = configFile(env);
  const { readConfigFile } = await import('./settings/config-file.js');
  const config = file === undefined ? undefined : await readConfigFile(file).catch(() => undefined);
  return Object.keys(config?.clusters ?? {});
}

/** Of all remembered clusters. */
async function memberIds(env: CommandIo['env']): Promise<string[]> {
  const { readMemory } = await import('./settings/member-memory.js');
  const clusters = Object.values(await readMemory(stateFile(env)));
  return [...new Set(clusters.flatMap(({ members }) => members.map(({ id }) => id)))];
}
