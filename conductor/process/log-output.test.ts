import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogOutput } from './log-output.js';

let directory: string;
const open: number[] = [];

const openFile = (name: string, flags: number | string): number => {
  const fd = openSync(path.join(directory, name), flags);
  open.push(fd);
  return fd;
};

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'baton-log-'));
});
afterEach(() => {
  open.splice(0).forEach((fd) => closeSync(fd));
  rmSync(directory, { recursive: true });
});

describe('log lines', () => {
  it('come out whole and in order', async () => {
    const output = new LogOutput({ fd: openFile('log', 'w') });
    const lines = Array.from({ length: 5000 }, (_, at) => `line ${at} ${'x'.repeat(at % 100)}\n`);
    for (const line of lines) output.write(line);
    expect(await output.flush(10_000)).toBe(true);
    expect(readFileSync(path.join(directory, 'log'), 'utf8')).toBe(lines.join(''));
    expect(await output.flush(0)).toBe(true);
  });

  it('that cannot be written are lost, and the next ones are tried again', async () => {
    const output = new LogOutput({ fd: openFile('full', 'w') });
    const readOnly = new LogOutput({ fd: openFile('full', 'r') });
    readOnly.write('lost\n');
    expect(await readOnly.flush(10_000)).toBe(true);
    readOnly.write('lost, too\n');
    expect(await readOnly.flush(10_000)).toBe(true);
    output.write('out\n');
    expect(await output.flush(10_000)).toBe(true);
    expect(readFileSync(path.join(directory, 'full'), 'utf8')).toBe('out\n');
  });

  it('wait for a reader up to a limit, and the reader is told how many were lost', async () => {
    execFileSync('mkfifo', [path.join(directory, 'pipe')]);
    const reader = openFile('pipe', constants.O_RDONLY | constants.O_NONBLOCK);
    const output = new LogOutput({
      fd: openFile('pipe', constants.O_WRONLY | constants.O_NONBLOCK),
      waitingBytesMax: 300_000,
    });
    const lost: number[] = [];
    output.onLost = (lines) => {
      lost.push(lines);
      output.write(`${lines} lost\n`);
    };
    const line = `${'x'.repeat(999)}\n`;
    for (let at = 0; at < 1000; at++) output.write(line);
    expect(await output.flush(100)).toBe(false);
    let read = '';
    const bytes = Buffer.alloc(1 << 20);
    const drain = (): void => {
      try {
        read += bytes.toString('utf8', 0, readSync(reader, bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
    };
    do drain();
    while (!(await output.flush(20)));
    drain();
    expect(lost).toEqual([700]);
    expect(read).toBe(`${line.repeat(300)}700 lost\n`);
  });
});
