import { z } from 'zod';

/** 32 bytes as `0x` and hex digits; lower-cased. */
export const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, 'expected a 32-byte hash')
  .transform((text) => text.toLowerCase());

/** Ethereum's hex quantity as a number. */
export const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]+$/, 'expected a hex quantity')
  .transform(Number)
  .refine(Number.isSafeInteger, 'quantity too large');

/** A count, block number or timestamp as op-node writes it: a decimal JSON number. */
export const decimal = z.int().nonnegative();
