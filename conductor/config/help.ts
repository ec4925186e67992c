import { Command, Option } from 'commander';
import { flagNames, flags, namesOf, variableName, type Flag, type FlagName } from './flag-table.js';

const WIDTH = 110;
const INDENT = 8;

/** The text of `--help`: every flag with its variable and default, by group. */
export function helpText(): string {
  const command = new Command('baton')
    .usage('run [flags]')
    .description(
      'High-availability conductor for rollup sequencers. Takes the flags and variables of op-conductor.\n' +
        'A flag wins over its environment variable. A boolean takes a value only with "=", as in --paused=false.',
    )
    .helpOption('-h, --help', 'print this text')
    .version('', '-v, --version', 'print the version')
    .configureHelp({
      helpWidth: WIDTH,
      // Names of up to 80 characters leave no room for a second column.
      formatItem: (term, _termWidth, description, helper) => {
        const indent = ' '.repeat(INDENT);
        return `  ${term}\n${indent}${helper.boxWrap(description, WIDTH - INDENT).replaceAll('\n', `\n${indent}`)}`;
      },
    });
  for (const name of flagNames) command.addOption(option(name));
  return command.helpInformation();
}

function option(name: FlagName): Option {
  const { group, type, usage, byDefault, defaultText, required, notYetEffective } = flags[name] as Flag<
    unknown,
    null
  >;
  const aliases = namesOf(name).slice(1);
  const preset = defaultText ?? (byDefault === null ? '' : type.format(byDefault));
  const remarks = [
    // A required flag must be given whatever its default is, so showing a default would mislead.
    required === 'with-node'
      ? 'required but for a witness'
      : required
        ? 'required'
        : preset === ''
          ? ''
          : `default: ${preset}`,
    notYetEffective ? 'no effect' : '',
    ...aliases.map((alias) => `also --${alias}`),
    `env: ${variableName(name)}`,
  ].filter((remark) => remark !== '');
  const value = type.placeholder === '' ? '' : ` <${type.placeholder}>`;
  return new Option(`--${name}${value}`, `${usage}\n(${remarks.join(', ')})`).helpGroup(`${group}:`);
}
