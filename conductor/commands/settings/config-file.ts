import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { hideCredentials } from '../../../common/endpoint.js';
import { CommandError } from '../command-error.js';
import { addressesProblem } from './addresses.js';
import { isPair } from './credentials.js';

const addresses = z
  .array(
    z.string().refine((text) => addressesProblem([text]) === undefined, {
      error: ({ input }) => addressesProblem([String(input)]) ?? '',
    }),
  )
  .min(1, 'name at least one conductor');

/** A path; a relative one starts at the folder of this file. */
const file = z.string().min(1, 'name a file').optional();

/** Fields without effect are refused: nobody must believe that a certificate is checked if it is not. */
const configSchema = z.strictObject({
  /** The cluster to use if none is named. */
  default: z.string().optional(),
  clusters: z.record(
    z.string().regex(/^[\w.-]+$/, 'a name has letters, digits, ".", "_" and "-"'),
    z
      .strictObject({
        /** RPC of its conductors: URLs, or `host:port`. One running conductor is enough. */
        rpc: addresses,
        /** Named like the options of commands. */
        cacert: file,
        cert: file,
        key: file,
        tokenFile: file,
      })
      .refine(isPair, 'give cert and key together'),
  ),
});

const FILES = ['cacert', 'cert', 'key', 'tokenFile'] as const;

export type ConfigFile = z.infer<typeof configSchema>;

/**
 * Reads the clusters that this user has named.
 *
 * @returns undefined if there is no such file
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
  // The parser is loaded only if the file exists.
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
  const folder = path.dirname(file);
  for (const cluster of Object.values(clusters)) {
    for (const field of FILES) {
      if (cluster[field] !== undefined) cluster[field] = path.resolve(folder, cluster[field]);
    }
  }
  return parsed.data;
}

function issueText({ path, message, ...issue }: z.core.$ZodIssue): string {
  const field = path.join('.') || 'the file';
  if (issue.code !== 'unrecognized_keys') return `${field}: ${message}`;
  return `${field}: this version knows no ${issue.keys.join(', ')}`;
}
