import { describe, expect, it } from '@jest/globals';
import { keccak256 } from 'viem/utils';
import { readJsonLines } from '../../common/testing/fixtures.js';
import { blockHashOf, buildBlock, factsOf, genesisBlock } from './block.js';
import { l1InfoDeposit, originOf } from './l1-info.js';
import { EMPTY_TRIE_ROOT, orderedTrieRoot } from './ordered-trie.js';
import { envelopeSchema, refOf, ZERO_HASH } from './payload.js';
import { randomTransactions, transactionJson } from './transactions.js';

interface StreamLine {
  number: number;
  hash: string;
  parentHash: string;
  body: string;
}

function envelopeIn(body: string) {
  return envelopeSchema.parse((JSON.parse(body) as { params: unknown[] }).params[0]);
}

describe('real unsafe payloads', () => {
  for (const [stream, blocks] of [
    ['granite', 30],
    ['granite-large', 18],
    ['jovian', 140],
  ] as const) {
    const file = `payloads/${stream}.jsonl.gz`;
    it(`recomputes every block hash of the ${stream} stream`, () => {
      const lines = readJsonLines<StreamLine>(file);
      expect(lines).toHaveLength(blocks);
      for (const line of lines) {
        const envelope = envelopeIn(line.body);
        expect(blockHashOf(envelope)).toBe(line.hash);
        expect(refOf(envelope)).toMatchObject({ number: line.number, parentHash: line.parentHash });
        expect(originOf(envelope.executionPayload.transactions)?.hash).toMatch(/^0x(?!0{64})[0-9a-f]{64}$/);
      }
    });

    it(`notices a change of any field of a ${stream} block`, () => {
      const envelope = envelopeIn(readJsonLines<StreamLine>(file)[5]!.body);
      const payload = envelope.executionPayload;
      const changed = Object.keys(payload).filter((key) => key !== 'blockHash' && key !== 'withdrawals');
      for (const key of changed as (keyof typeof payload)[]) {
        const value = payload[key];
        const other =
          key === 'transactions' ? [] : key === 'extraData' ? '0x07' : flipLastDigit(value as string);
        const altered = { ...envelope, executionPayload: { ...payload, [key]: other } };
        expect([key, blockHashOf(altered)]).not.toEqual([key, payload.blockHash]);
      }
    });
  }

  for (const stream of ['granite', 'jovian']) {
    it(`shows transactions with the recorded members (${stream})`, () => {
      type Transaction = Record<string, unknown> & { type: string };
      const blocks = readJsonLines<{ block: { transactions: Transaction[] } }>(
        `payloads/${stream}.ssz.jsonl.gz`,
      );
      const all = blocks.flatMap(({ block }) => block.transactions);
      const built = buildBlock(genesisBlock(901, 100), {
        timestamp: 101,
        prevRandao: ZERO_HASH,
        transactions: [
          l1InfoDeposit({ hash: ZERO_HASH, number: 0, sequenceNumber: 1 }, 100, 'a'),
          ...randomTransactions(901, 10),
        ],
      });
      for (const [index, type] of ['0x7e', '0x2'].entries()) {
        const theirs = all.find((transaction) => transaction.type === type)!;
        const ours = transactionJson(built, index);
        expect(ours['type']).toBe(type);
        // Newer releases of geth have the timestamp too.
        expect(Object.keys(ours).sort()).toEqual([...Object.keys(theirs), 'blockTimestamp'].sort());
      }
    });
  }
});

function flipLastDigit(hex: string): string {
  return hex.slice(0, -1) + (hex.endsWith('1') ? '2' : '1');
}

describe('ordered trie', () => {
  it('is the empty root for no values', () => {
    expect(orderedTrieRoot([])).toBe(EMPTY_TRIE_ROOT);
  });

  it('has one leaf under the path 8-0 for one value', () => {
    expect(orderedTrieRoot([Buffer.from('ab', 'hex')])).toBe(keccak256('0xc582208081ab'));
  });

  it('depends on every value and on their order, also past index 127', () => {
    const values = Array.from({ length: 300 }, (_, index) => Buffer.alloc(40, index % 251));
    const root = orderedTrieRoot(values);
    for (const index of [0, 1, 127, 128, 255, 256, 299]) {
      const changed = values.with(index, Buffer.from('changed'));
      expect(orderedTrieRoot(changed)).not.toBe(root);
    }
    expect(orderedTrieRoot(values.toReversed())).not.toBe(root);
  });
});

describe('built blocks', () => {
  const genesis = genesisBlock(901, 1_700_000_000);
  const origin = { hash: ZERO_HASH, number: 3, sequenceNumber: 2 };
  const content = {
    timestamp: 1_700_000_001,
    prevRandao: ZERO_HASH,
    transactions: [l1InfoDeposit(origin, 1, 'a'), ...randomTransactions(901, 250_000)],
  };

  it('have the hash of their fields and link to their parent', () => {
    const block = buildBlock(genesis, content);
    expect(blockHashOf(block)).toBe(block.executionPayload.blockHash);
    expect(refOf(block)).toMatchObject({
      number: 1,
      parentHash: refOf(genesis).hash,
      timestamp: 1_700_000_001,
    });
    expect(envelopeSchema.parse(JSON.parse(JSON.stringify(block)))).toEqual(block);
    expect(originOf(block.executionPayload.transactions)).toEqual(origin);
    expect(factsOf(block).size).toBeGreaterThan(250_000);
  });

  it('share a genesis per chain and time, and no other', () => {
    expect(genesisBlock(901, 1_700_000_000)).toEqual(genesis);
    expect(refOf(genesisBlock(902, 1_700_000_000)).hash).not.toBe(refOf(genesis).hash);
    expect(refOf(genesisBlock(901, 1_700_000_001)).hash).not.toBe(refOf(genesis).hash);
  });

  it('differ between sequencers with otherwise equal content', () => {
    const other = {
      ...content,
      transactions: [l1InfoDeposit(origin, 1, 'b'), ...content.transactions.slice(1)],
    };
    expect(refOf(buildBlock(genesis, other)).hash).not.toBe(refOf(buildBlock(genesis, content)).hash);
  });
});
