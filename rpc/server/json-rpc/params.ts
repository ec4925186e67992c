import { goJsonKind } from '../../payload/go-json-error.js';
import type { Param } from './method-table.js';
import { ArgumentError } from './method-table.js';

export const boolParam: Param<boolean> = {
  decode: (value) => (typeof value === 'boolean' ? value : wrongType(value, 'bool')),
};

export const stringParam: Param<string> = {
  decode: (value) => (typeof value === 'string' ? value : wrongType(value, 'string')),
};

/** A block hash, in lower case from here on. */
export const hashParam: Param<string> = {
  decode: (value) => {
    const text = stringParam.decode(value);
    if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
    throw new ArgumentError(`${JSON.stringify(text.slice(0, 80))} is not a 32-byte hash in hex with 0x`);
  },
};

/** A plain JSON number; above 2^53-1 JSON.parse has already lost digits, so it is refused. */
export const uint64Param: Param<number> = {
  decode: (value) => {
    if (typeof value !== 'number') return wrongType(value, 'uint64');
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new ArgumentError(`json: cannot unmarshal number ${value} into Go value of type uint64`);
  },
};

function wrongType(value: unknown, goType: string): never {
  throw new ArgumentError(`json: cannot unmarshal ${goJsonKind(value)} into Go value of type ${goType}`);
}
