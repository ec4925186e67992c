import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { ConnectionRefusals } from './connection-refusals.js';
import { SecurityError } from './security-error.js';

interface Line {
  code: string;
  address: string;
  alsoRefused?: number;
  remedy: string;
}

describe('refused connections', () => {
  const lines: Line[] = [];
  let nowMs = 0;
  const logger = pino({}, { write: (text) => void lines.push(JSON.parse(text) as Line) });
  const error = new SecurityError('peer-not-trusted', 'whoever');

  it('of strangers make one line every ten seconds, with the number of the others', () => {
    let counted = 0;
    const security = { credentials: () => ({ kind: 'secret' as const, keys: [] }), acceptsPlain: false };
    const refusals = new ConnectionRefusals(
      { ...security, onRefused: () => (counted += 1) },
      logger,
      () => nowMs,
    );
    for (let port = 1; port <= 1000; port++) refusals.note('listener', error, `10.0.0.9:${port}`);
    nowMs += 10_000;
    refusals.note('listener', error, '10.0.0.9:1001');
    expect(lines).toMatchObject([{ code: 'peer-not-trusted', address: '10.0.0.9:1' }, { alsoRefused: 999 }]);
    expect(lines[0]!.remedy).toContain('CA');
    expect(counted).toBe(1001);
  });

  it('to members make a line for each member', () => {
    lines.length = 0;
    const refusals = new ConnectionRefusals(undefined, logger, () => nowMs);
    for (const address of ['a:1', 'b:1', 'a:1']) refusals.note('dialler', error, address);
    expect(lines.map(({ address }) => address)).toEqual(['a:1', 'b:1']);
  });
});
