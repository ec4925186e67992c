import { describe, expect, it } from '@jest/globals';
import { keccak256 } from 'viem';
import { readJsonLines } from '../../common/testing/fixtures.js';
import { decodeEnvelope } from './decode-envelope.js';
import { decodeSsz } from './decode-ssz.js';
import { envelopeJson } from './envelope-json.js';
import { readRef } from './block-ref.js';

interface JsonLine {
  number: number;
  hash: string;
  parentHash: string;
  body: string;
}

interface SszLine {
  ssz: string;
  block: Record<string, unknown> & { transactions: { hash: string }[] };
}

interface Envelope {
  parentBeaconBlockRoot: string;
  executionPayload: Record<string, unknown> & { transactions: `0x${string}`[]; withdrawalsRoot?: string };
}

/** Members of the execution payload and what the execution client calls them in a block. */
const BLOCK_MEMBERS: Record<string, string> = {
  parentHash: 'parentHash',
  feeRecipient: 'miner',
  stateRoot: 'stateRoot',
  receiptsRoot: 'receiptsRoot',
  logsBloom: 'logsBloom',
  prevRandao: 'mixHash',
  blockNumber: 'number',
  gasLimit: 'gasLimit',
  gasUsed: 'gasUsed',
  timestamp: 'timestamp',
  extraData: 'extraData',
  baseFeePerGas: 'baseFeePerGas',
  blockHash: 'hash',
  withdrawals: 'withdrawals',
  blobGasUsed: 'blobGasUsed',
  excessBlobGas: 'excessBlobGas',
};

describe('real payloads', () => {
  for (const [stream, count] of [
    ['granite', 30],
    ['granite-large', 18],
    ['jovian', 140],
  ] as const) {
    it(`JSON of ${stream} survives JSON → SSZ → JSON byte for byte`, () => {
      const lines = readJsonLines<JsonLine>(`payloads/${stream}.jsonl.gz`);
      expect(lines).toHaveLength(count);
      for (const line of lines) {
        const { params } = JSON.parse(line.body) as { params: [Envelope] };
        const payload = decodeEnvelope(params[0]);
        const sent = line.body.slice(line.body.indexOf('"params":[') + '"params":['.length, -']}'.length);

        expect(envelopeJson(payload.ssz) === sent).toBe(true);
        expect(payload.ref).toEqual({
          number: line.number,
          hash: line.hash,
          parentHash: line.parentHash,
          timestamp: Number(params[0].executionPayload['timestamp']),
        });
        const fromSsz = decodeSsz(payload.ssz);
        expect(fromSsz.ref).toEqual(payload.ref);
        expect(fromSsz.ssz.equals(payload.ssz)).toBe(true);
        expect(readRef(payload.ssz)).toEqual(payload.ref);
      }
    });
  }

  for (const stream of ['granite', 'jovian'] as const) {
    it(`SSZ of ${stream} holds the block that the execution client shows`, () => {
      const lines = readJsonLines<SszLine>(`payloads/${stream}.ssz.jsonl.gz`);
      expect(lines).toHaveLength(21);
      for (const { ssz, block } of lines) {
        const body = Buffer.from(ssz, 'hex');
        const payload = decodeSsz(body);
        expect(payload.ref).toEqual({
          number: Number(block['number']),
          hash: block['hash'],
          parentHash: block['parentHash'],
          timestamp: Number(block['timestamp']),
        });

        const envelope = JSON.parse(envelopeJson(payload.ssz)) as Envelope;
        expect(envelope.parentBeaconBlockRoot).toBe(block['parentBeaconBlockRoot']);
        for (const [member, name] of Object.entries(BLOCK_MEMBERS)) {
          expect([member, envelope.executionPayload[member]]).toEqual([member, block[name]]);
        }
        const hashes = envelope.executionPayload.transactions.map((tx) => keccak256(tx));
        expect(hashes).toEqual(block.transactions.map((tx) => tx.hash));
        if (stream === 'jovian') {
          expect(envelope.executionPayload.withdrawalsRoot).toBe(block['withdrawalsRoot']);
        } else {
          expect(envelope.executionPayload).not.toHaveProperty('withdrawalsRoot');
        }
        expect(decodeEnvelope(envelope).ssz.equals(body)).toBe(true);
      }
    });
  }
});
