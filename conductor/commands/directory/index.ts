import type { AddCommand } from '../command.js';
import { withChangeOptions, type ChangeOptions } from '../confirmation.js';
import { withOutput, type OutputFormat } from '../output/document.js';

/** `baton inspect DIRECTORY`: the data of a stopped node on disk, and whether all of it is sound. */
export const addInspect: AddCommand = (program, io) => {
  const command = program
    .command('inspect <directory>')
    .description('show and verify the data directory of a node that does not run; writes nothing there');
  withOutput(command, ['text', 'json', 'yaml']).action(
    async (directory: string, { output }: { output: OutputFormat }) => {
      const { inspect } = await import('./inspect.js');
      await inspect(directory, output, io);
    },
  );
};

/** `baton recover DIRECTORY`: makes a cluster of one from the directory of a survivor. */
export const addRecover: AddCommand = (program, io) => {
  const command = withChangeOptions(program.command('recover <directory>'))
    .description('after the loss of the quorum: make the stopped node of this directory a cluster of its own')
    .option('--address <host:port>', 'consensus address of the node, if it has another now')
    .option('--reason <text>', 'why; it is printed with the rest');
  withOutput(command, ['text', 'json', 'yaml']).action(
    async (directory: string, options: ChangeOptions & { address?: string }) => {
      const { recover } = await import('./recover.js');
      await recover(directory, options, io);
    },
  );
};
