import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Hex } from 'viem';
import { ChildProcess, isRunning } from '../../common/testing/child-process.js';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { waitFor } from '../cluster/wait-for.js';
import type { BlockRef } from '../devnet/payload.js';
import { CommittedLedger } from './committed-ledger.js';

describe('the verdict', () => {
  const hashOf = (number: number, branch = ''): Hex => `0x${number}${branch}`;
  const block = (number: number, branch = '', parentBranch = branch): BlockRef => ({
    number,
    hash: hashOf(number, branch),
    parentHash: hashOf(number - 1, parentBranch),
    timestamp: number,
  });
  const chain = (head: number): BlockRef[] => Array.from({ length: head + 1 }, (_, number) => block(number));
  const ledgerOf = (...blocks: BlockRef[]): CommittedLedger => {
    const ledger = new CommittedLedger();
    for (const noted of blocks) ledger.note('a', noted);
    return ledger;
  };
  const problems = (ledger: CommittedLedger, a: BlockRef[], b: BlockRef[]): string[] =>
    ledger.problems(
      new Map([
        ['a', a],
        ['b', b],
      ]),
    );

  it('is good when all nodes have every committed block, seen in any order', () => {
    const ledger = ledgerOf(block(2), block(1), block(3), block(2));
    expect(ledger.highest).toEqual(block(3));
    expect(problems(ledger, chain(3), chain(4))).toEqual([]);
  });

  it('is bad when a committed block is lost', () => {
    const found = problems(ledgerOf(block(1), block(2), block(3)), chain(3), chain(2));
    expect(found).toEqual(['block 3 0x3, committed on a, is lost: b does not have it']);
  });

  it('is bad when a committed block was replaced, on one node or on all', () => {
    const other = [block(0), block(1), block(2, 'x', '')];
    const found = problems(ledgerOf(block(1), block(2)), chain(2), other);
    expect(found).toEqual(['block 2 0x2, committed on a, was replaced on b by 0x2x']);
    expect(problems(ledgerOf(block(1), block(2)), other, other)).toHaveLength(2);
  });

  it('is bad when two blocks of a height were committed, though the chains agree now', () => {
    const ledger = ledgerOf(block(1), block(2), block(2, 'x', ''));
    expect(problems(ledger, chain(2), chain(2))).toContain(
      'block 2 was committed more than once: 0x2 on a, 0x2x on a',
    );
  });

  it('is bad when a chain has a gap, a broken link, or nothing', () => {
    const ledger = ledgerOf(block(1), block(2), block(3));
    const withGap = [block(0), block(1), block(3)];
    expect(problems(ledger, chain(3), withGap)).toContain('b has block 3 where block 2 should be');
    const broken = [block(0), block(1), { ...block(2), parentHash: hashOf(7) }, block(3)];
    expect(problems(ledger, chain(3), broken)).toEqual(['block 2 of b does not follow its block 1']);
    expect(problems(ledgerOf(block(1), block(3)), chain(3), chain(3))).toEqual(['nobody showed a block 2']);
    expect(problems(ledgerOf(block(0)), chain(0), chain(0))).toEqual(['no block was committed']);
  });
});

describe('the end of the demo', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'baton-demo-'));
  let demo: ChildProcess | undefined;
  afterEach(() => demo?.kill());
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  /** Starts the demo in a process group of its own, and returns the processes it told of when it showed a status. */
  async function startDemo(): Promise<{ demo: ChildProcess; pids: number[] }> {
    const pids: number[] = [];
    demo = new ChildProcess({
      name: 'the demo',
      cwd: repositoryRoot,
      detached: true,
      env: { ...process.env, TMPDIR: folder },
      readyWithinMs: 50_000,
      onLine: (line) => {
        pids.push(...[...line.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid)));
        return / s {2}sequencer-2 +(follower|leader)/.test(line);
      },
    });
    await demo.start([process.execPath, '--import', 'tsx', 'e2e/demo/main.ts']);
    expect(pids).toHaveLength(6);
    expect(pids.filter(isRunning)).toEqual(pids);
    return { demo, pids };
  }

  it.each<['to the demo alone' | 'to its process group']>([['to the demo alone'], ['to its process group']])(
    'Ctrl-C %s stops every process and leaves no data',
    async (target) => {
      const { demo, pids } = await startDemo();
      const ended = demo.ended();
      process.kill(target === 'to the demo alone' ? demo.pid! : -demo.pid!, 'SIGINT');
      expect(await ended).toBe(130);
      expect(pids.filter(isRunning)).toEqual([]);
      expect(readdirSync(folder).filter((name) => name.startsWith('baton-'))).toEqual([]);
    },
    60_000,
  );

  it('kill -9 of the demo leaves no process behind', async () => {
    const { demo, pids } = await startDemo();
    await demo.kill('SIGKILL');
    await waitFor('the end of all processes', () => !pids.some(isRunning), 10_000);
  }, 60_000);
});
