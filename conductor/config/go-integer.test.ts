import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseGoInt, parseGoUint } from './go-integer.js';

const BASES = { '0b': 2, '0B': 2, '0o': 8, '0O': 8, '0': 8, '0x': 16, '0X': 16, '': 10 } as const;
const MAX = 2n ** 64n - 1n;

/** A literal that Go accepts: underscores only between digits, or after a prefix. */
const literal = fc
  .record({
    value: fc.bigInt({ min: 0n, max: MAX }),
    prefix: fc.constantFrom(...(Object.keys(BASES) as (keyof typeof BASES)[])),
    zeros: fc.nat({ max: 3 }),
    underscores: fc.infiniteStream(fc.boolean()),
    upper: fc.boolean(),
  })
  .map(({ value, prefix, zeros, underscores, upper }) => {
    // A zero in front would make a decimal number an octal one.
    const digits = (prefix === '' ? '' : '0'.repeat(zeros)) + value.toString(BASES[prefix]);
    const text = [...digits]
      .map((digit, index) =>
        underscores.next().value === true && (index > 0 || prefix !== '') ? `_${digit}` : digit,
      )
      .join('');
    return { value, text: prefix + (upper ? text.toUpperCase() : text) };
  });

describe('parseGoUint', () => {
  // The answers of Go's strconv.ParseUint(text, 0, 64).
  it.each([
    ['0', 0n],
    ['00', 0n],
    ['10', 10n],
    ['0x10', 16n],
    ['0XfF', 255n],
    ['010', 8n],
    ['0_10', 8n],
    ['0o10', 8n],
    ['0O1_0', 8n],
    ['0b11', 3n],
    ['0B_1', 1n],
    ['0x_f', 15n],
    ['1_000', 1000n],
    ['18446744073709551615', MAX],
    ['0xffff_ffff_ffff_ffff', MAX],
  ])('reads %s', (text, value) => {
    expect(parseGoUint(text)).toBe(value);
  });

  it.each(
    '_1 1_ 1__0 0_ 0__7 08 0_8 0o8 0x 0b 0o 0b2 0xg 0_x1 0x1_ +1 -1 -0 1.0 1e3 10n 1,0 ١ 18446744073709551616 0x1_0000_0000_0000_0000'.split(
      ' ',
    ),
  )('refuses %s', (text) => {
    expect(parseGoUint(text)).toBeNull();
  });

  it.each(['', ' ', ' 1', '1 ', '1\n', '0x 1'])('refuses %j', (text) => {
    expect(parseGoUint(text)).toBeNull();
  });

  it('reads every literal, but none with an extra underscore', () => {
    fc.assert(
      fc.property(literal, ({ text, value }) => {
        expect(parseGoUint(text)).toBe(value);
        for (const wrong of [`_${text}`, `${text}_`, `${text}__1`, ` ${text}`, `${text}.`]) {
          expect(parseGoUint(wrong)).toBeNull();
        }
      }),
    );
  });

  it('reads at most 64 bits', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: MAX + 1n, max: MAX ** 2n }),
        fc.constantFrom('', '0x', '0b'),
        (value, prefix) => {
          expect(parseGoUint(prefix + value.toString(BASES[prefix as '0x']))).toBeNull();
        },
      ),
    );
  });

  it('refuses every text without the digits of a literal', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^[0-9a-fA-FxXoObB_]*$/.test(text));
        expect(parseGoUint(text)).toBeNull();
      }),
    );
  });
});

describe('parseGoInt', () => {
  it('reads every literal of 63 bits with any sign, and refuses two', () => {
    fc.assert(
      fc.property(literal, ({ text, value }) => {
        const fits = value < 2n ** 63n;
        expect(parseGoInt(text)).toBe(fits ? value : null);
        expect(parseGoInt(`+${text}`)).toBe(fits ? value : null);
        expect(parseGoInt(`-${text}`)).toBe(value <= 2n ** 63n ? -value : null);
        for (const wrong of [`+-${text}`, `--${text}`, `- ${text}`]) expect(parseGoInt(wrong)).toBeNull();
      }),
    );
  });

  it.each([
    ['9223372036854775807', 2n ** 63n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['-0x1F', -31n],
    ['+0', 0n],
    ['9223372036854775808', null],
    ['-9223372036854775809', null],
    ['+', null],
    ['-', null],
    ['+_1', null],
  ])('reads %s as %s', (text, value) => {
    expect(parseGoInt(text)).toBe(value);
  });
});
