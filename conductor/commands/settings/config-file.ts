import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { hideCredentials } from '../../../common/endpoint.js';
import { CommandError } from '../command-error.js';
import { addressesProblem } from './addresses.js';

const addresses = z
  .array(
    z.string().refine((text) => addressesProblem([text]) === undefined, {
      error: ({ input }) => addressesProblem([String(input)]) ?? '',
    }),
  )
  .min(1, 'name at least one conductor');

/** Fields that have no effect are refused: nobody is to believe that a certificate is checked which is not. */
const configSchema = z.strictObject({
  /** The cluster that is meant when none is named. */
  default: z.string().optional(),
  clusters: z.record(
    z.string().regex(/^[\w.-]+$/, 'a name has letters, digits, ".", "_" and "-"'),
    z.strictObject({
      /** RPC of its conductors: URLs, or `host:port`. One that runs is enough. */
      rpc: addresses,
    }),
  ),
});

export type ConfigFile = z.infer<typeof configSchema>;

/**
 * Reads the clusters that this user has given names to.
 *
 * @returns undefined when there is no such file
 * @throws CommandError `config-file`, which names the file, the field and what is expected
 */
export async function readConfigFile(file: string): Promise<ConfigFile | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new CommandError('config-file', `cannot read ${file}: ${message}`);
  }
  const wrong = (what: string): never => {
    throw new CommandError('config-file', `${file}: ${hideCredentials(what)}`);
  };
  // Without its file nobody pays for the parser.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (error) return wrong(error.message.trim());
  const parsed = configSchema.safeParse(document.toJS());
  if (!parsed.success) return wrong(parsed.error.issues.map(issueText).join('; '));
  const { default: name, clusters } = parsed.data;
  if (name !== undefined && !Object.hasOwn(clusters, name)) {
    return wrong(`default: there is no cluster "${name}" among ${Object.keys(clusters).join(', ')}`);
  }
  return parsed.data;
}

function issueText({ path, message, ...issue }: z.core.$ZodIssue): string {
  const field = path.join('.') || 'the file';
  if (issue.code !== 'unrecognized_keys') return `${field}: ${message}`;
  return `${field}: this version knows no ${issue.keys.join(', ')}`;
}
