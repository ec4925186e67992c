import { describe, expect, it } from '@jest/globals';
import { LogTail } from './log-tail.js';

const written = (tail: LogTail, count: number): LogTail => {
  for (let number = 1; number <= count; number += 1) tail.write(`line ${number}\n`);
  return tail;
};

describe('the tail of the log', () => {
  it('keeps the newest lines, oldest first', () => {
    const tail = written(new LogTail({ linesMax: 3 }), 5);
    expect(tail.lines).toEqual(['line 3', 'line 4', 'line 5']);
    expect(tail.dropped).toBe(2);
  });

  it('is bounded by its size as well', () => {
    const tail = written(new LogTail({ charsMax: 13 }), 3);
    expect(tail.lines).toEqual(['line 2', 'line 3']);
    tail.write('x'.repeat(20));
    expect(tail.lines).toEqual(['x'.repeat(13)]);
    expect(tail.dropped).toBe(3);
  });

  it('holds 2000 lines of a busy process, and no more than a megabyte', () => {
    expect(written(new LogTail(), 2001).lines).toHaveLength(2000);
    const large = new LogTail();
    for (let line = 0; line < 300; line += 1) large.write('x'.repeat(10_000));
    expect(large.lines).toHaveLength(104);
  });
});
