import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ChildProcess, isRunning, type ChildProcessOptions } from './child-process.js';
import { repositoryRoot } from './repository-root.js';

/** Says "ready" and its pid, echoes what it is sent, and ends with 3 when its stdin does. */
const ECHO = `
  console.log('ready', process.pid);
  console.error('a warning');
  process.stdin.on('data', (data) => process.stdout.write(data)).on('end', () => process.exit(3));
`;

describe('a child process', () => {
  const started: ChildProcess[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((child) => child.kill()));
  });

  function create(options: Partial<ChildProcessOptions> = {}): ChildProcess {
    const child = new ChildProcess({ name: 'echo', ...options });
    started.push(child);
    return child;
  }
  const command = (source: string): string[] => [process.execPath, '-e', source];

  it('is ready at its first line, answers, ends by a signal, and starts again', async () => {
    const child = create();
    for (let round = 1; round <= 2; round++) {
      expect(child.pid).toBeUndefined();
      expect(await child.start(command(ECHO))).toBe(`ready ${child.pid}`);
      const answer = child.nextLine();
      child.send('hello');
      expect(await answer).toBe('hello');
      expect(await child.kill('SIGTERM')).toBe(null);
      expect(child.stderr).toBe('a warning\n'.repeat(round));
    }
    expect(await child.kill()).toBe(null);
  });

  it('is ready at the line that says so', async () => {
    const lines: string[] = [];
    const child = create({
      onLine: (line) => {
        lines.push(line);
        return line === 'two';
      },
    });
    const source = `console.log('one\\ntwo'); setInterval(() => {}, 1000);`;
    expect(await child.start(command(source))).toBe('two');
    expect(lines).toEqual(['one', 'two']);
  });

  it('says why it was never ready', async () => {
    const child = create();
    await expect(child.start(command(`console.error('no disk'); process.exit(4)`))).rejects.toThrow(
      'echo ended with 4 before it was ready:\nno disk\n',
    );
    await expect(child.start(['/no/such/program'])).rejects.toThrow('ENOENT');
    expect(child.pid).toBeUndefined();
  });

  it('has no more lines when it ends', async () => {
    const child = create();
    await child.start(command(ECHO));
    const line = child.nextLine();
    child.endInput();
    await expect(line).rejects.toThrow('echo ended:\na warning\n');
    await expect(child.nextLine()).rejects.toThrow('echo does not run');
  });

  it('ends with its parent, even if that is killed', async () => {
    const parent = create({ cwd: repositoryRoot });
    const source = `
      import { ChildProcess } from './common/testing/child-process.ts';
      const child = new ChildProcess({ name: 'child' });
      await child.start([process.execPath, '-e', ${JSON.stringify(ECHO)}]);
      console.log(child.pid);
      setInterval(() => {}, 1000);
    `;
    const tsx = ['--import', 'tsx', '--input-type=module', '--eval', source];
    const pid = Number(await parent.start([process.execPath, ...tsx]));
    await parent.kill('SIGKILL');
    for (let tries = 0; tries < 500 && isRunning(pid); tries++) await sleep(10);
    expect(isRunning(pid)).toBe(false);
  });
});
