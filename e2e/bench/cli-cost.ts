import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { batonCommand } from '../cluster/baton-process.js';
import type { ProcessCluster } from '../cluster/process-cluster.js';
import { median, ms, table } from './statistics.js';

const ENDS_WITHIN_MS = 30_000;

/** Writes what the process has cost since its start to the file that COST_FILE names. */
const HOOK = `process.once('exit', () => {
  const { user, system } = process.cpuUsage();
  require('node:fs').writeFileSync(process.env.COST_FILE, JSON.stringify({ cpuMs: (user + system) / 1000 }));
});`;

/**
 * CPU and time of the commands that probes, hooks and scripts call, and of node alone in the same rounds: what the
 * machine does besides concerns both.
 */
export async function cliCost(cluster: ProcessCluster, rounds: number): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'baton-cli-'));
  const hook = path.join(folder, 'hook.cjs');
  await writeFile(hook, HOOK);
  const { rpcUrl } = cluster.nodes[0]!.baton;
  const commands: [string, string[]][] = [
    ['node -e 0', [process.execPath, '-e', '0']],
    ['baton --version', [...batonCommand(), '--version']],
    ['baton help', [...batonCommand(), 'help']],
    ['baton status', [...batonCommand(), 'status', '--rpc', rpcUrl]],
  ];
  const samples = commands.map((): { cpuMs: number; wallMs: number }[] => []);
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [at, [, argv]] of commands.entries()) {
        samples[at]!.push(await costOf(argv, hook, path.join(folder, 'cost.json')));
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const cpu = samples.map((costs) => median(costs.map(({ cpuMs }) => cpuMs)));
  const rows = commands.map(([name], at) => [
    name,
    ms(cpu[at]!),
    (cpu[at]! / cpu[0]!).toFixed(1),
    ms(median(samples[at]!.map(({ wallMs }) => wallMs))),
  ]);
  return table([['command', 'CPU ms', '× node', 'wall ms'], ...rows]);
}

/** Runs a program to its end. */
async function costOf(
  [program, ...argv]: readonly string[],
  hook: string,
  file: string,
): Promise<{ cpuMs: number; wallMs: number }> {
  const startedMs = performance.now();
  const env = { PATH: process.env['PATH'], NODE_OPTIONS: `--require ${hook}`, COST_FILE: file };
  await new Promise<void>((resolve, reject) => {
    execFile(program!, argv, { env, timeout: ENDS_WITHIN_MS }, (error) => {
      // The verdict on a paused cluster is an exit code, too.
      if (error && typeof error.code !== 'number')
        reject(new Error(`${program} did not end`, { cause: error }));
      else resolve();
    });
  });
  const wallMs = performance.now() - startedMs;
  const { cpuMs } = JSON.parse(await readFile(file, 'utf8')) as { cpuMs: number };
  return { cpuMs, wallMs };
}
