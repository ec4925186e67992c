import { execFileSync, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { batonCommand, HEALTH_FLAGS } from '../cluster/baton-process.js';
import { FreezableDisk } from '../cluster/freezable-disk.js';
import { ScriptedNode } from '../cluster/scripted-node.js';
import { waitFor } from '../cluster/wait-for.js';
import { pickPorts } from '../devnet/devnet-process.js';

const AS_FIRST = ['unshare', '--pid', '--fork', '--kill-child'];
/** Of the last signal that it takes. SIGTERM's proves nothing: node has its own handler for it. */
const SIGQUIT_BIT = 1n << BigInt(os.constants.signals.SIGQUIT - 1);

const noNamespace = lackOf(() =>
  execFileSync(AS_FIRST[0]!, [...AS_FIRST.slice(1), 'true'], { stdio: 'pipe' }),
);
const noDisk = FreezableDisk.lacks();
for (const lack of [noNamespace && `process 1: it needs root and unshare: ${noNamespace}`, noDisk]) {
  if (lack) console.warn(`ending.test.ts skips ${lack}`);
}

function lackOf(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

interface Outcome {
  code: number | null;
  signal: string | null;
}

/** Longer than any step here may take, and shorter than `hung` takes to notice a disk. */
const ENDS_WITHIN_MS = 12_000;

describe('a process can always end', () => {
  let directory: string;
  let node: ScriptedNode;
  let rpcPort: number;
  let consensusPort: number;
  let log: string;
  const fds: number[] = [];
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'baton-ending-'));
    mkdirSync(path.join(directory, 'raft'));
    node = await ScriptedNode.start();
    [rpcPort, consensusPort] = (await pickPorts(2)) as [number, number];
    log = '';
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const closed = once(child, 'exit');
      child.kill('SIGKILL');
      await closed;
    }
    fds.splice(0).forEach((fd) => closeSync(fd));
    node.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** @param stdout 'pipe' is read into `log` */
  const start = (stdout: 'pipe' | number, before: readonly string[] = []): ChildProcess => {
    const [command, ...args] = [
      ...before,
      ...batonCommand(),
      ...['run', '--raft.server.id', 'a', '--raft.storage.dir', path.join(directory, 'raft')],
      ...['--raft.peers', `a@127.0.0.1:${consensusPort}`],
      ...['--consensus.addr', '127.0.0.1', '--consensus.port', String(consensusPort)],
      ...['--rpc.addr', '127.0.0.1', '--rpc.port', String(rpcPort), '--log.level', 'trace'],
      ...['--node.rpc', node.url, '--execution.rpc', node.url, ...HEALTH_FLAGS],
      ...['--healthcheck.unsafe-interval', '9999999999', '--shutdown-timeout', '3s'],
    ] as [string, ...string[]];
    const stdio: StdioOptions = ['ignore', stdout, 'inherit'];
    const child = spawn(command, args, { stdio });
    children.push(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (log += text));
    return child;
  };

  const ended = async (
    child: ChildProcess,
    withinMs = ENDS_WITHIN_MS,
  ): Promise<Outcome & { tookMs: number }> => {
    const startedMs = performance.now();
    if (child.exitCode === null && child.signalCode === null) {
      await once(child, 'exit', { signal: AbortSignal.timeout(withinMs) }).catch((error: Error) => {
        throw new Error(`it did not end in ${withinMs} ms: ${error.message}\n${log.slice(-3000)}`);
      });
    }
    return { code: child.exitCode, signal: child.signalCode, tookMs: performance.now() - startedMs };
  };

  const sequencing = (): Promise<boolean> => waitFor('the sequencer to run', () => node.active);

  /** The writing end of a full pipe that nobody reads. */
  const fullPipe = (): number => {
    const fifo = path.join(directory, 'stdout');
    execFileSync('mkfifo', [fifo]);
    const both = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    fds.push(both);
    expect(() => {
      for (;;) writeSync(both, Buffer.alloc(4096));
    }).toThrow('EAGAIN');
    const writer = openSync(fifo, constants.O_WRONLY);
    fds.push(writer);
    return writer;
  };

  /** Its first process. */
  const childOf = ({ pid }: ChildProcess): Promise<number> =>
    waitFor('the child of unshare', () => {
      const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
      return child === undefined || child === '' ? undefined : Number(child);
    });

  const takesSignals = (pid: number): boolean => {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('conductor/main')) return false;
    const [, caught] = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return (BigInt(`0x${caught}`) & SIGQUIT_BIT) !== 0n;
  };

  const inOrder = { code: 0, signal: null };
  const killed = { code: null, signal: 'SIGKILL' };

  it('by SIGTERM, SIGINT or SIGQUIT in order: the sequencer is stopped', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
      const child = start('pipe');
      await sequencing();
      child.kill(signal);
      expect(await ended(child)).toMatchObject(inOrder);
      expect(node.active).toBe(false);
      expect(log).toContain(`"reason":"${signal}"`);
    }
  });

  it('by SIGINT twice, at once, even if anything hangs', async () => {
    const child = start('pipe');
    await sequencing();
    node.isSilent = true;
    child.kill('SIGINT');
    await waitFor('it to stop', () => log.includes('"msg":"stopping"'));
    child.kill('SIGINT');
    const outcome = await ended(child);
    expect(outcome).toMatchObject({ code: 130, signal: null });
    expect(log).toContain('exiting at once');
  });

  it('by SIGTERM before it has begun', async () => {
    const child = start('pipe');
    await waitFor('it to hear of signals', () => takesSignals(child.pid!));
    child.kill('SIGTERM');
    expect(await ended(child)).toMatchObject(inOrder);
    expect(log).not.toContain('"msg":"started"');
  });

  it('when nobody reads its log: by SIGTERM', async () => {
    const child = start(fullPipe());
    await sequencing();
    child.kill('SIGTERM');
    // A thread waits in the pipe, and an orderly exit would wait for it.
    expect(await ended(child)).toMatchObject(killed);
    expect(node.active).toBe(false);
  });

  it('when nobody reads its log: by an error at its start', async () => {
    const first = start('pipe');
    await sequencing();
    rmSync(path.join(directory, 'raft', 'a'), { recursive: true, force: true });
    const second = start(fullPipe());
    expect(await ended(second)).toMatchObject(killed);
    first.kill('SIGKILL');
  });

  (noNamespace === undefined ? describe : describe.skip)('as the first process of a container', () => {
    it('by SIGTERM, as soon as its first file runs', async () => {
      const parent = start('pipe', AS_FIRST);
      const child = await childOf(parent);
      await waitFor('it to hear of signals', () => takesSignals(child));
      process.kill(child, 'SIGTERM');
      expect(await ended(parent)).toMatchObject(inOrder);
      expect(log).not.toContain('"msg":"started"');
    });

    it('when nobody reads its log', async () => {
      const parent = start(fullPipe(), AS_FIRST);
      const child = await childOf(parent);
      await sequencing();
      process.kill(child, 'SIGTERM');
      // A separate fault: it is deaf to its own SIGKILL.
      expect(await ended(parent)).toMatchObject({ code: null, signal: 'SIGSEGV' });
      expect(node.active).toBe(false);
    });
  });

  (noDisk === undefined ? describe : describe.skip)('on a disk that hangs', () => {
    const cases: [string, readonly string[], string][] = [['by SIGTERM', [], 'SIGKILL']];
    if (noNamespace === undefined)
      cases.push(['as the first process of a container, by SIGTERM', AS_FIRST, 'SIGSEGV']);

    it.each(cases)('%s, even when nobody reads its log', async (_name, before, signal) => {
      const disk = FreezableDisk.mountAt(path.join(directory, 'raft'));
      try {
        const outer = start(fullPipe(), before);
        const pid = before.length > 0 ? await childOf(outer) : outer.pid!;
        await sequencing();
        disk.freeze();
        process.kill(pid, 'SIGTERM');
        // The kernel releases it only when the disk does; it counts that it has been killed.
        await waitFor('its end', () => !/^State:\s+[RST]/m.test(status(pid)), ENDS_WITHIN_MS);
        disk.thaw();
        expect(await ended(outer)).toMatchObject({ code: null, signal });
      } finally {
        disk.remove();
      }
    });
  });
});

/** Empty when it is gone. */
function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
