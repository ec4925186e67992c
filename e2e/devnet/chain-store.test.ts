import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chainOn, genesisBlock } from './block.js';
import { ChainStore } from './chain-store.js';
import { refOf, type PayloadEnvelope } from './payload.js';

const genesis = genesisBlock(901, 1000);

describe('chain store', () => {
  let dataDir: string;
  const open = (loseBlocksAfterCrash = 0) => new ChainStore({ dataDir, genesis, loseBlocksAfterCrash });
  const follow = (store: ChainStore, blocks: PayloadEnvelope[]) => {
    for (const block of blocks) {
      store.insert(block);
      store.setHead(refOf(block).hash);
    }
  };
  const numbers = (store: ChainStore) => store.refsFrom(0).map(({ number }) => number);

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'baton-chain-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('comes back after a SIGKILL with everything it had', () => {
    const blocks = chainOn(genesis, 5);
    follow(open(), blocks);
    const again = open();
    expect(again.head).toEqual(blocks[4]);
    expect(again.byNumber(3)).toEqual(blocks[2]);
    expect(again.byHash(refOf(blocks[1]!).hash)).toEqual(blocks[1]);
    expect(again.byNumber(6)).toBeUndefined();
  });

  it('survives a torn line, and continues writing after it', () => {
    const blocks = chainOn(genesis, 3);
    follow(open(), blocks.slice(0, 2));
    appendFileSync(path.join(dataDir, 'chain.jsonl'), '{"block":{"parentBeac');
    const again = open();
    expect(again.head).toEqual(blocks[1]);
    follow(again, blocks.slice(2));
    expect(open().head).toEqual(blocks[2]);
  });

  it('comes back some blocks behind after a SIGKILL, and can be fed the lost ones again', () => {
    const blocks = chainOn(genesis, 6);
    follow(open(), blocks);
    const again = open(4);
    expect(refOf(again.head).number).toBe(2);
    expect(again.byHash(refOf(blocks[3]!).hash)).toBeUndefined();
    follow(again, blocks.slice(2));
    expect(again.head).toEqual(blocks[5]);
    expect(open().head).toEqual(blocks[5]);
  });

  it('loses nothing by a clean stop, and never its genesis', () => {
    const store = open();
    follow(store, chainOn(genesis, 3));
    store.close();
    expect(numbers(open(2))).toEqual([0, 1, 2, 3]);
    const crashed = open(0);
    follow(crashed, chainOn(crashed.head, 1));
    expect(numbers(open(100))).toEqual([0]);
  });

  it('keeps blocks beside the canonical chain, and reorganises to them', () => {
    const store = open();
    const [first, ...rest] = chainOn(genesis, 4);
    follow(store, [first!, ...rest]);
    const branch = chainOn(first!, 2, 7);
    for (const block of branch) store.insert(block);
    expect(store.head).toEqual(rest[2]);
    expect(store.byNumber(2)).toEqual(rest[0]);
    store.setHead(refOf(branch[1]!).hash);
    expect(store.refsFrom(1)).toEqual([first!, ...branch].map(refOf));
    expect(open().refsFrom(1)).toEqual(store.refsFrom(1));
    store.setHead(refOf(rest[2]!).hash);
    expect(store.refsFrom(1)).toEqual([first!, ...rest].map(refOf));
  });

  it('reports changes of the head, and their time', () => {
    const store = open();
    let changes = 0;
    store.changes.on('head', () => changes++);
    const [block] = chainOn(genesis, 1);
    const beforeMs = Date.now();
    store.insert(block!);
    expect(changes).toBe(0);
    store.setHead(refOf(block!).hash);
    store.setHead(refOf(block!).hash);
    expect(changes).toBe(1);
    expect(store.headSinceMs).toBeGreaterThanOrEqual(beforeMs);
    store.forgetAbove(0);
    expect(changes).toBe(2);
    expect(store.head).toEqual(genesis);
  });

  it('refuses the data of another chain', () => {
    follow(open(), chainOn(genesis, 1));
    const before = readFileSync(path.join(dataDir, 'chain.jsonl'), 'utf8');
    const other = genesisBlock(902, 1000);
    expect(() => new ChainStore({ dataDir, genesis: other, loseBlocksAfterCrash: 3 })).toThrow(
      refOf(genesis).hash,
    );
    expect(readFileSync(path.join(dataDir, 'chain.jsonl'), 'utf8')).toBe(before);
  });
});
