import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MIB } from '../../common/bytes.js';
import { readJsonLines } from '../../common/testing/fixtures.js';
import { sampleEnvelope } from '../server/testing/sample-envelope.js';
import { decodeEnvelope } from './decode-envelope.js';
import { envelopeJson } from './envelope-json.js';
import { PayloadError } from './payload-error.js';

const GO_FIELD = 'into Go struct field ExecutionPayload.executionPayload';
const EMPTY_WITHDRAWALS_HASH = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

function refusal(param: unknown): PayloadError {
  try {
    decodeEnvelope(param);
  } catch (error) {
    if (error instanceof PayloadError) return error;
    throw error;
  }
  throw new Error('accepted');
}

function without(name: string): unknown {
  const envelope = sampleEnvelope();
  delete envelope.executionPayload[name];
  return envelope;
}

function roundTrip(param: unknown): unknown {
  return JSON.parse(envelopeJson(decodeEnvelope(param).ssz));
}

describe('decodeEnvelope', () => {
  it('keeps every member, large quantities included', () => {
    const envelope = sampleEnvelope({
      blockNumber: '0x1fffffffffffff',
      gasLimit: '0xffffffffffffffff',
      baseFeePerGas: `0x${'f'.repeat(63)}1`,
      extraData: `0x${'ab'.repeat(32)}`,
      transactions: ['0x7e01', '0x', `0x02${'cd'.repeat(300)}`],
      blobGasUsed: '0x123456789abcdef0',
    });
    expect(roundTrip(envelope)).toEqual(envelope);
  });

  it('keeps a withdrawalsRoot, even that of the empty list, which op-conductor loses', () => {
    const envelope = sampleEnvelope({ withdrawalsRoot: EMPTY_WITHDRAWALS_HASH });
    expect(roundTrip(envelope)).toEqual(envelope);
    expect(roundTrip(sampleEnvelope({ withdrawalsRoot: null }))).toEqual(sampleEnvelope());
  });

  it('writes upper-case hex in lower case', () => {
    const envelope = sampleEnvelope({ extraData: '0XAB', gasLimit: '0X1C9C380' });
    expect(roundTrip(envelope)).toEqual(sampleEnvelope({ extraData: '0xab' }));
  });

  /** Members that a future fork might add. */
  const toCome: [string, unknown][] = [
    ['executionPayload.requestsHash', { ...sampleEnvelope({ requestsHash: `0x${'77'.repeat(32)}` }) }],
    ['executionPayload.blockAccessList', { ...sampleEnvelope({ blockAccessList: [] }) }],
    ['executionPayload.slotNumber', sampleEnvelope({ slotNumber: '0x0' })],
    ['executionPayload.flag', sampleEnvelope({ flag: false })],
    ['executionPayload.constructor', sampleEnvelope({ constructor: '0x1' })],
    ['executionPayload.BlockNumber', sampleEnvelope({ BlockNumber: '0x1' })],
    ['executionRequests', { ...sampleEnvelope(), executionRequests: [] }],
    ['blobsBundle', { ...sampleEnvelope(), blobsBundle: {} }],
  ];

  it.each(toCome)('refuses %s, which it could not keep, and says what to do', (field, param) => {
    const error = refusal(param);
    expect(error).toMatchObject({ code: 'unknown-field', field });
    expect(error.message).toBe(
      `${field}: unknown to this version of Baton, which cannot keep it; upgrade Baton to a release that supports this fork`,
    );
  });

  it('names a future member rather than one that the fork removed', () => {
    const envelope = sampleEnvelope({ slotNumber: '0x0' });
    delete envelope.executionPayload['blobGasUsed'];
    expect(refusal(envelope)).toMatchObject({ code: 'unknown-field' });
  });

  it('loses nothing with an unknown null member, as an inactive fork may have it', () => {
    const param = { ...sampleEnvelope({ slotNumber: null }), executionRequests: null };
    expect(roundTrip(param)).toEqual(sampleEnvelope());
  });

  it.each(Object.keys(sampleEnvelope().executionPayload))('names the missing member %s', (name) => {
    const error = refusal(without(name));
    expect(error).toMatchObject({ code: 'missing-field', field: `executionPayload.${name}` });
    expect(error.message).toMatch(new RegExp(`^executionPayload\\.${name}: missing; .+`));
  });

  it.each(['transactions', 'withdrawals', 'blobGasUsed', 'excessBlobGas'])(
    'takes a null %s for absent',
    (name) => {
      expect(refusal(sampleEnvelope({ [name]: null }))).toMatchObject({
        code: 'missing-field',
        field: `executionPayload.${name}`,
      });
    },
  );

  it.each([[undefined], [null], [{}], [{ executionPayload: null }]])('asks for the envelope: %j', (param) => {
    expect(refusal(param)).toMatchObject({ code: 'missing-field', field: 'executionPayload' });
  });

  it('refuses an envelope without parentBeaconBlockRoot with op-conductor’s text', () => {
    expect(refusal({ executionPayload: sampleEnvelope().executionPayload })).toMatchObject({
      code: 'missing-beacon-root',
      message: 'execution payload envelope is missing data',
    });
  });

  it.each<[string, unknown, string]>([
    ['[]', [], 'json: cannot unmarshal array into Go value of type eth.ExecutionPayloadEnvelope'],
    ['true', true, 'json: cannot unmarshal bool into Go value of type eth.ExecutionPayloadEnvelope'],
    [
      'executionPayload is a string',
      { ...sampleEnvelope(), executionPayload: 'x' },
      'json: cannot unmarshal string into Go struct field ExecutionPayloadEnvelope.executionPayload of type eth.ExecutionPayload',
    ],
    [
      'parentBeaconBlockRoot is a number',
      { ...sampleEnvelope(), parentBeaconBlockRoot: 5 },
      'json: cannot unmarshal non-string into Go struct field ExecutionPayloadEnvelope.parentBeaconBlockRoot of type common.Hash',
    ],
  ])('refuses an envelope of the wrong type: %s', (_name, param, message) => {
    expect(refusal(param)).toMatchObject({ code: 'bad-field', message });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ parentHash: null }, `json: cannot unmarshal non-string ${GO_FIELD}.parentHash of type common.Hash`],
    [
      { feeRecipient: '0x123' },
      `json: cannot unmarshal hex string of odd length ${GO_FIELD}.feeRecipient of type common.Address`,
    ],
    [{ stateRoot: '0x12' }, 'hex string has length 2, want 64 for *eth.Bytes32'],
    [
      { blockNumber: '' },
      `json: cannot unmarshal empty hex string ${GO_FIELD}.blockNumber of type hexutil.Uint64`,
    ],
    [{ gasUsed: '0x' }, `json: cannot unmarshal hex string "0x" ${GO_FIELD}.gasUsed of type hexutil.Uint64`],
    [
      { gasUsed: '0xg' },
      `json: cannot unmarshal invalid hex string ${GO_FIELD}.gasUsed of type hexutil.Uint64`,
    ],
    [{ gasUsed: 7 }, `json: cannot unmarshal non-string ${GO_FIELD}.gasUsed of type hexutil.Uint64`],
    [
      { extraData: '0xzz' },
      `json: cannot unmarshal invalid hex string ${GO_FIELD}.extraData of type hexutil.Bytes`,
    ],
    [{ transactions: {} }, `json: cannot unmarshal object ${GO_FIELD}.transactions of type []hexutil.Bytes`],
    [
      { transactions: [7] },
      `json: cannot unmarshal non-string ${GO_FIELD}.transactions of type hexutil.Bytes`,
    ],
    [
      { transactions: ['0x01', `0x${'00'.repeat(50)}0g`] },
      `json: cannot unmarshal invalid hex string ${GO_FIELD}.transactions of type hexutil.Bytes`,
    ],
    // Node's own hex decoder takes these for '0' and '1'.
    [
      { transactions: ['0x\u0130\u0131'] },
      `json: cannot unmarshal invalid hex string ${GO_FIELD}.transactions of type hexutil.Bytes`,
    ],
    [{ withdrawals: 'x' }, `json: cannot unmarshal string ${GO_FIELD}.withdrawals of type types.Withdrawals`],
    [{ withdrawals: [{}] }, 'executionPayload.withdrawals: has 1 entries; a rollup block has none, send []'],
    [
      { blockNumber: '0x20000000000000' },
      'executionPayload.blockNumber: 0x20000000000000 is above 2^53-1; no chain is that long',
    ],
    [
      { timestamp: '0xffffffffffffffff' },
      'executionPayload.timestamp: 0xffffffffffffffff is above 2^53-1; no chain is that long',
    ],
  ])('refuses %j', (changes, message) => {
    const name = Object.keys(changes)[0]!;
    expect(refusal(sampleEnvelope(changes))).toMatchObject({
      code: 'bad-field',
      field: `executionPayload.${name}`,
      message,
    });
  });

  it('does not echo a megabyte of extraData', () => {
    expect(refusal(sampleEnvelope({ extraData: `0x${'00'.repeat(MIB)}` })).message.length).toBeLessThan(3000);
  });

  it('has only typed errors, and never a buffer larger than the text, for hostile JSON', () => {
    const names = [...Object.keys(sampleEnvelope().executionPayload), 'withdrawalsRoot'];
    const digits = fc.array(fc.constantFrom(...'0123456789abcdefABCDEFxXg\u0130'), { maxLength: 80 });
    const hexish = digits.map((parts) => `0x${parts.join('')}`);
    const value = fc.oneof(fc.jsonValue(), hexish, fc.array(fc.oneof(hexish, fc.jsonValue())));
    const envelope = fc.oneof(
      fc.jsonValue(),
      fc
        .dictionary(fc.constantFrom(...names), value, { maxKeys: 3 })
        .map((changes) => sampleEnvelope(changes)),
      fc.record({ parentBeaconBlockRoot: value, executionPayload: value }, { requiredKeys: [] }),
    );
    fc.assert(
      fc.property(envelope, (param) => {
        let ssz: Buffer;
        try {
          ({ ssz } = decodeEnvelope(param));
        } catch (error) {
          expect(error).toBeInstanceOf(PayloadError);
          return;
        }
        expect(ssz.length).toBeLessThan(JSON.stringify(param).length);
        expect(decodeEnvelope(JSON.parse(envelopeJson(ssz))).ssz.equals(ssz)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

interface Row {
  group: string;
  name: string;
  request: { body: string };
  response: { body: string };
}

describe('recorded bad payloads', () => {
  it('has op-conductor’s text wherever op-conductor refuses by decoding', () => {
    let compared = 0;
    for (const row of readJsonLines<Row>('recordings/rpc.jsonl')) {
      if (row.group !== 'bad-payload-leader' || row.name === 'two params') continue;
      const { error } = JSON.parse(row.response.body) as { error?: { code: number; message: string } };
      const prefix = 'invalid argument 0: ';
      if (!error?.message.startsWith(prefix)) continue;
      const { params } = JSON.parse(row.request.body) as { params: unknown[] };
      expect([row.name, refusal(params[0]).message]).toEqual([row.name, error.message.slice(prefix.length)]);
      compared++;
    }
    expect(compared).toBe(14);
  });
});
