import { describe, expect, it } from '@jest/globals';
import { readReason, REASON_HEADER, reasonHeader } from './reason-header.js';

describe('the reason of a change', () => {
  it.each(['L1 reorg', 'Wartung “L1”\nüber Nacht', '100 %'])('%j comes as it was sent', (reason) => {
    expect(readReason(reasonHeader(reason)[REASON_HEADER])).toBe(reason);
  });

  it('is cut where it is too long', () => {
    expect(readReason(reasonHeader('x'.repeat(5000))[REASON_HEADER])).toHaveLength(1000);
  });

  it.each([[undefined], [['a', 'b']], ['%ff'], ['%']])('is none in %j', (header) => {
    expect(readReason(header)).toBeUndefined();
  });

  it('is no header where there is none', () => {
    expect(reasonHeader(undefined)).toEqual({});
  });
});
