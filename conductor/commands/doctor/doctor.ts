import { setMaxListeners } from 'node:events';
import type { Command } from 'commander';
import { ConfigError } from '../../config/config-error.js';
import { notYetEffective, type Config } from '../../config/config.js';
import { oldestNode } from '../../config/package-file.js';
import { parseConfig } from '../../config/parse-config.js';
import { operate } from '../cluster/cluster-command.js';
import { CommandError } from '../command-error.js';
import type { AddCommand, RunIo } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { withCredentialOptions, type CredentialPaths } from '../settings/credentials.js';
import type { StartFacts } from './facts.js';
import { worstOf, type Finding } from './judge/finding.js';
import { judgeConfiguration, type ConfigurationFacts } from './judge/judge-configuration.js';
import { judgeMachine } from './judge/judge-machine.js';
import { judgeStart } from './judge/judge-start.js';
import { renderFindings, renderFindingsJson } from './render-findings.js';

const CODES = { ok: EXIT.ok, warning: EXIT.failed, failure: EXIT.critical };

const DEADLINE_MS = 60_000;
const QUESTIONS_MAX = 100;

interface Options extends CredentialPaths {
  json?: true;
  rpc?: string;
}

/** `baton doctor`: checks a machine before Baton runs there, or a running cluster. Changes nothing. */
export const addDoctor: AddCommand = (program, io) => {
  const command = program
    .command('doctor')
    .usage('[--json] [--] [flags of run]\n       baton doctor --rpc URLS [--json]')
    .description(
      'check, with the flags and environment of run, whether Baton can run here; or, with --rpc, how the members of a cluster see each other. Changes nothing; the exit code is 0 if all is well, 1 for warnings, 2 for failures, 3 for a wrong command line, 4 if nobody answers',
    )
    .option('--rpc <urls>', 'RPC of one or more conductors, with commas: check the cluster that runs');
  withCredentialOptions(command)
    .option('--json', 'print JSON')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async ({ json, rpc, ...paths }: Options, command: Command) => {
      if (rpc !== undefined && command.args.length > 0) {
        throw new CommandError(
          'usage',
          `--rpc checks a cluster, and takes no flags of run: ${command.args.join(' ')}`,
        );
      }
      if (rpc === undefined && Object.keys(paths).length > 0) {
        throw new CommandError('usage', 'credentials are for a cluster: give its addresses with --rpc');
      }
      // All checks run in parallel.
      setMaxListeners(QUESTIONS_MAX, io.signal);
      const findings =
        rpc === undefined
          ? await examineMachine(io, command.args)
          : await examineCluster(io, { ...paths, rpc });
      if (io.signal.aborted) {
        throw new CommandError('interrupted', 'not everything was checked', 'repeat it: nothing was changed');
      }
      io.print(json ? renderFindingsJson(findings) : renderFindings(findings));
      io.endWith(CODES[worstOf(findings)]);
    });
};

async function examineMachine(io: RunIo, argv: readonly string[]): Promise<Finding[]> {
  const { config, ...facts } = readConfiguration(io, argv);
  const first = [...judgeStart(startFacts(io)), ...judgeConfiguration(facts)];
  if (!config) return first;
  // Loaded here because it needs more than the other commands, which start faster without it.
  const { gatherMachine } = await import('./gather/gather-machine.js');
  return [...first, ...judgeMachine(await gatherMachine(config, io.signal))];
}

async function examineCluster(io: RunIo, options: CredentialPaths & { rpc: string }): Promise<Finding[]> {
  const findings: Finding[] = [];
  await operate(io, { ...options, deadline: DEADLINE_MS }, async ({ cluster }) => {
    const [{ gatherCluster }, { judgeMembers }] = await Promise.all([
      import('./gather/gather-cluster.js'),
      import('./judge/judge-members.js'),
    ]);
    findings.push(...judgeMembers(await gatherCluster(cluster)));
  });
  return findings;
}

function readConfiguration(
  { env }: RunIo,
  argv: readonly string[],
): ConfigurationFacts & { config?: Config } {
  try {
    const parsed = parseConfig(argv, env);
    if (!('config' in parsed))
      return { problems: ['--help and --version are no flags to run with'], warnings: [], idle: [] };
    const { config, warnings } = parsed;
    return { config, problems: [], warnings, idle: notYetEffective(config) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: error.problems.map(({ message }) => message), warnings: [], idle: [] };
  }
}

function startFacts({ env }: RunIo): StartFacts {
  return {
    nodeVersion: process.version,
    oldestNode: oldestNode(),
    env,
    nodeOptions: [...process.execArgv, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)],
  };
}
