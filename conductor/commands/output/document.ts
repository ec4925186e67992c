import { Option, type Command } from 'commander';

/** Formats of a result that is a document. */
export type DocumentFormat = 'json' | 'yaml';

/** What a command can be told by `-o`. */
export type OutputFormat = 'table' | 'wide' | 'text' | DocumentFormat;

/** In every document: fields stay while this does not change; new ones may be added. */
export const SCHEMA_VERSION = 1;

/** Adds `-o`, where the first format is the default, and `--json`, which older scripts use. */
export function withOutput(command: Command, formats: readonly OutputFormat[]): Command {
  return command
    .addOption(
      new Option('-o, --output <format>', 'how the result is written')
        .choices(formats)
        .default(formats[0], formats[0]),
    )
    .addOption(new Option('--json', 'the same as -o json').implies({ output: 'json' }));
}

/** The format of a document, or undefined if the result is text for a person. */
export function documentFormat(output: unknown): DocumentFormat | undefined {
  return output === 'json' || output === 'yaml' ? output : undefined;
}

/** The same from a command line that may be wrong, so that a program can read what is wrong with it. */
export function documentFormatOf(argv: readonly string[]): DocumentFormat | undefined {
  for (const [at, argument] of argv.entries()) {
    if (argument === '--') return undefined;
    const [, inline] = /^(?:-o|--output=)(.+)$/.exec(argument) ?? [];
    const value = argument === '-o' || argument === '--output' ? argv[at + 1] : inline;
    const format = argument === '--json' ? 'json' : documentFormat(value);
    if (format) return format;
  }
  return undefined;
}

/** The text of a document. The YAML writer is loaded only for YAML. */
export async function writeDocument(value: object, format: DocumentFormat): Promise<string> {
  if (format === 'json') return JSON.stringify(value, null, 2);
  const { stringify } = await import('yaml');
  return stringify(value, { lineWidth: 0 }).trimEnd();
}
