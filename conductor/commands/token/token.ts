import { randomBytes } from 'node:crypto';
import { ROLES, type Role } from '../../../rpc/server/access/roles.js';
import { parseTokenFile, tokenLine, TokenFileError } from '../../../rpc/server/access/token-file.js';
import { CommandError } from '../command-error.js';
import type { AddCommand } from '../command.js';

/** As many as a SHA-256 hash has: guessing either is equally hard. */
const TOKEN_BYTES = 32;

/** `baton token new NAME --role ROLE`: makes a token that only its holder ever has. */
export const addToken: AddCommand = (program, io) => {
  program
    .command('token')
    .description('make credentials for the RPC port')
    .command('new <name>')
    .description('print a new token for its holder, and the line for --rpc.token-file of all members')
    .requiredOption('--role <role,…>', `what its holder may do: ${ROLES.join(', ')}`)
    .action((name: string, { role }: { role: string }) => {
      // Recognisable, so that a scanner of repositories can find a leaked one.
      const token = `baton_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
      const line = checked(tokenLine(name, role.split(',') as Role[], token));
      io.print(token);
      io.note(`Give this token to ${name}: it is shown only now, and Baton does not keep it.`);
      io.note('Add this line to the file of --rpc.token-file on all members; they read it within a second:');
      io.note(line);
    });
};

/** @throws CommandError `usage` */
function checked(line: string): string {
  try {
    parseTokenFile(line);
    return line;
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    throw new CommandError('usage', error.message.replace(/^line 1: /, ''));
  }
}
