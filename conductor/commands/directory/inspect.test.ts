import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StorageError, type Inspection } from '../../../raft/index.js';
import { runCommand } from '../index.js';
import { CommandLine } from '../testing/command-line.js';
import { ChainSummary } from './chain-summary.js';
import { dataDirectory } from './data-directory.js';
import { inspectionLines, seenOf } from './render-inspection.js';

let folder: string;
let t: CommandLine;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'baton-inspect-'));
  t = await CommandLine.start();
});
afterEach(async () => {
  await t.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('16: finding the directory', () => {
  it.each(['', 'raft', 'raft/s0', 'raft/s0/baton'])('%j', (given) => {
    const database = path.join(folder, 'raft', 's0', 'baton');
    mkdirSync(database, { recursive: true });
    writeFileSync(path.join(database, 'CURRENT'), '');
    const expected = given === '' ? folder : database;
    expect(dataDirectory(path.join(folder, given))).toBe(expected);
  });
});

describe('15: message and remedy', () => {
  it('say different things', async () => {
    expect(await runCommand(['inspect', folder], t.io())).toBe(1);
    const { remedy } = new StorageError('no-database', '');
    expect(t.failure()).toEqual([`error: ${folder} is not a Baton data directory`, 'storage']);
    expect(t.noted.at(-1)).toBe(`remedy: ${remedy} (storage)`);
  });

  it('differ in every error of storage', () => {
    expect(seenOf(new StorageError('locked', 'The directory is in use'))).toBe('The directory is in use');
  });
});

it('16: lists the members only once for configurations with the same ones', () => {
  const member = { id: 'a', address: 'a:1', voter: true, incarnation: 'd' };
  const configurations = [
    { index: 1, configuration: { members: [member] } },
    { index: 7, configuration: { members: [member] } },
    { index: 9, configuration: { members: [member, { ...member, id: 'b', address: 'b:1' }] } },
  ] as Inspection['configurations'];
  const lines = inspectionLines(
    {
      ...{ directory: '/d', ok: true, checks: [], identity: null, hardState: null, writeSeq: null },
      ...{ last: null, log: null, snapshot: null, configurations },
    },
    new ChainSummary(),
  );
  expect(lines.filter((line) => line.startsWith('members'))).toEqual([
    'members     since 1: a@a:1',
    'members     since 7: the same, with other timing or disks',
    'members     since 9: a@a:1, b@b:1',
  ]);
});
