import { spawn } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access, copyFile, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { signalGroup } from './programs.js';

const OPTIMISM = { module: 'github.com/ethereum-optimism/optimism', version: 'v1.17.0' };
const OP_GETH = { module: 'github.com/ethereum-optimism/op-geth', version: 'v1.101702.2' };
const GO_ETHEREUM = 'github.com/ethereum/go-ethereum';
const OLDEST_GO_MINOR = 24;

const PACKAGES = {
  geth: `${GO_ETHEREUM}/cmd/geth`,
  'op-node': './op-node/cmd',
  'op-batcher': './op-batcher/cmd',
  'op-conductor': './op-conductor/cmd',
} as const;

/** `ready`: all programs are in `folder`. `unavailable`: this machine lacks something; `reason` says what. */
export type BuildOutcome = { kind: 'ready'; folder: string } | { kind: 'unavailable'; reason: string };

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Builds geth, op-node, op-batcher and op-conductor from their public Go modules into `<cacheFolder>/bin`.
 * A second call with the same versions builds nothing and needs neither Go nor a network.
 * Throws on a compile error: that is a defect, unlike a missing tool or module.
 */
export async function buildPrograms(cacheFolder: string, say: (line: string) => void): Promise<BuildOutcome> {
  const folder = path.join(cacheFolder, 'bin');
  const stampFile = path.join(folder, 'versions.json');
  const stamp = JSON.stringify({ optimism: OPTIMISM.version, opGeth: OP_GETH.version, arch: process.arch });
  if (await isBuilt(folder, stampFile, stamp)) return { kind: 'ready', folder };

  const lack = await lackOfGo();
  if (lack !== undefined) return { kind: 'unavailable', reason: lack };

  await mkdir(folder, { recursive: true });
  say(
    `building geth ${OP_GETH.version} and op-node, op-batcher, op-conductor ${OPTIMISM.version}: takes minutes, once`,
  );

  const fetched = await go(
    ['mod', 'download', '-json', `${OPTIMISM.module}@${OPTIMISM.version}`],
    cacheFolder,
  );
  const module = JSON.parse(fetched.stdout || '{}') as { Dir?: string; Error?: string };
  if (module.Dir === undefined) return missingModule(module.Error ?? fetched.stderr);
  const source = module.Dir;
  const modFile = await writeModFile(cacheFolder, source);
  const modFlags = [`-modfile=${modFile}`, '-mod=mod'];

  const listed = await go(['list', '-deps', ...modFlags, ...Object.values(PACKAGES)], source);
  if (listed.code !== 0) return missingModule(listed.stderr);

  for (const [name, goPackage] of Object.entries(PACKAGES)) {
    const startedAt = Date.now();
    const output = path.join(folder, name);
    // Everything is downloaded by now. Without the proxy, any further failure is a compile error.
    const built = await go(['build', '-p', '2', '-trimpath', ...modFlags, '-o', output, goPackage], source, {
      GOPROXY: 'off',
      GOMAXPROCS: '2',
    });
    if (built.code !== 0) throw new Error(`${name} does not compile:\n${tail(built.stderr)}`);
    say(`built ${name} in ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }
  await writeFile(stampFile, stamp);
  return { kind: 'ready', folder };
}

async function isBuilt(folder: string, stampFile: string, stamp: string): Promise<boolean> {
  try {
    const programs = Object.keys(PACKAGES).map((name) => access(path.join(folder, name), constants.X_OK));
    await Promise.all(programs);
    return (await readFile(stampFile, 'utf8')) === stamp;
  } catch {
    return false;
  }
}

async function lackOfGo(): Promise<string | undefined> {
  const needed = `Go 1.${OLDEST_GO_MINOR} or newer is needed to build the real programs`;
  const found = await go(['env', 'GOVERSION'], os.tmpdir()).catch(() => undefined);
  if (found === undefined) return `${needed}, and there is no "go" on the PATH`;
  const version = found.stdout.trim();
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 1 || Number(minor) >= OLDEST_GO_MINOR) return undefined;
  return `${needed}, this machine has ${version || 'one that does not tell its version'}`;
}

/**
 * The release pins an op-geth that module proxies do not serve, so the build uses a changed copy of its
 * go.mod. (A module of our own that requires the release would resolve other libp2p versions.)
 */
async function writeModFile(cacheFolder: string, source: string): Promise<string> {
  const modFile = path.join(cacheFolder, 'optimism.mod');
  const sumFile = path.join(cacheFolder, 'optimism.sum');
  for (const [from, to] of [
    ['go.mod', modFile],
    ['go.sum', sumFile],
  ] as const) {
    if (existsSync(to)) await chmod(to, 0o644);
    await copyFile(path.join(source, from), to);
    await chmod(to, 0o644);
  }
  const replacement = `${GO_ETHEREUM}=${OP_GETH.module}@${OP_GETH.version}`;
  const edited = await go(['mod', 'edit', `-replace=${replacement}`, modFile], cacheFolder);
  if (edited.code !== 0) throw new Error(`cannot edit ${modFile}: ${tail(edited.stderr)}`);
  return modFile;
}

/** Nothing was compiled yet, so only a tampered or misnamed module is our fault. Anything else is the network's. */
function missingModule(output: string): BuildOutcome {
  const text = tail(output);
  if (/SECURITY ERROR|does not contain package/.test(text))
    throw new Error(`the Go modules are wrong:\n${text}`);
  return { kind: 'unavailable', reason: `a Go module cannot be downloaded:\n${text}` };
}

function go(args: string[], cwd: string, env: Record<string, string> = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    // The compilers that go starts are in its group: an interrupted build leaves none behind.
    const killGroup = (): void => signalGroup(child, 'SIGKILL');
    process.once('exit', killGroup);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.on('spawn', () => os.setPriority(child.pid ?? 0, os.constants.priority.PRIORITY_LOW));
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('exit', killGroup);
      resolve({ code, stdout, stderr });
    });
  });
}

function tail(text: string, lines = 15): string {
  const kept = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('go: downloading'));
  return kept.slice(-lines).join('\n');
}
