import { describe, expect, it } from '@jest/globals';
import { callerHeaders, readCallerHeaders } from './caller-headers.js';

describe('what a caller says about itself', () => {
  it.each(['L1 reorg', 'Wartung “L1”\nüber Nacht', '100 %'])('%j arrives as it was sent', (reason) => {
    const said = { owner: 'alice@host', reason };
    expect(readCallerHeaders(callerHeaders(said))).toEqual(said);
  });

  it('is cut if it is too long', () => {
    expect(readCallerHeaders(callerHeaders({ reason: 'x'.repeat(5000) })).reason).toHaveLength(1000);
  });

  it.each([[undefined], [['a', 'b']], ['%ff'], ['%']])('is nothing in %j', (header) => {
    expect(readCallerHeaders({ 'baton-reason': header, 'baton-owner': header })).toEqual({});
  });

  it('takes no header when it is empty', () => {
    expect(callerHeaders({ owner: undefined, reason: undefined })).toEqual({});
    expect(Object.keys(callerHeaders({ owner: 'alice@host', reason: undefined }))).toEqual(['baton-owner']);
  });
});
