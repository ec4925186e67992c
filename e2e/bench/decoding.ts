import { randomBytes } from 'node:crypto';
import { scanBody } from '../../rpc/server/json-rpc/scan-body.js';
import { decodeEnvelope } from '../../rpc/payload/decode-envelope.js';
import { decodeSsz } from '../../rpc/payload/decode-ssz.js';
import { sampleEnvelope } from '../../rpc/server/testing/sample-envelope.js';
import { median, table } from './statistics.js';

const SIZES = [100_000, 1_000_000, 5_000_000];
const TRANSACTION_BYTES = 350;

/**
 * Time that the RPC port spends on a payload before the proposal, by step, compared with the SSZ body of the same block.
 */
export function decoding(rounds: number): string {
  const rows = [
    ['JSON body', 'scan', 'parse', 'decode', 'JSON in all', 'SSZ check', 'JSON / SSZ of a block'],
  ];
  for (const bytes of SIZES) {
    const body = bodyOf(bytes);
    const text = body.toString('latin1');
    const [envelope] = (JSON.parse(text) as { params: unknown[] }).params;
    const { ssz } = decodeEnvelope(envelope);
    const perMb = (size: number, work: () => unknown): number => {
      const samples = Array.from({ length: rounds }, () => {
        const start = performance.now();
        work();
        return performance.now() - start;
      });
      return (median(samples) * 1e6) / size;
    };
    const scan = perMb(body.length, () => scanBody(body));
    const parse = perMb(body.length, () => JSON.parse(body.toString('latin1')));
    const decode = perMb(body.length, () => decodeEnvelope(envelope));
    const check = perMb(ssz.length, () => decodeSsz(ssz));
    const json = scan + parse + decode;
    rows.push([
      `${(bytes / 1e6).toFixed(1)} MB`,
      ...[scan, parse, decode, json, check].map((value) => value.toFixed(3)),
      ((json * body.length) / (check * ssz.length)).toFixed(0),
    ]);
  }
  return table(rows);
}

function bodyOf(bytes: number): Buffer {
  const count = Math.floor(bytes / (2 * TRANSACTION_BYTES + 5));
  const transactions = Array.from(
    { length: count },
    () => `0x${randomBytes(TRANSACTION_BYTES).toString('hex')}`,
  );
  const params = [sampleEnvelope({ transactions })];
  return Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'conductor_commitUnsafePayload', params }),
  );
}
