import fc from 'fast-check';

const HOSTILE_KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'id',
  'method',
  'jsonrpc',
  'params',
  '\\u0069d',
];

const NUMBERS = [
  '1e3',
  '1e400',
  '-0',
  '0.1',
  '9'.repeat(400),
  '18446744073709551616',
  '1e-400',
  '01',
  '+1',
  'NaN',
];

/** JSON, nearly: with duplicated and dangerous keys, numbers beyond all limits, lone surrogates and bad escapes. */
const { value: anyValue } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('null', 'true', '""', '{}', '[]', 'undefined', '"\\ud800"', '"\\x"', '"', '\u0000'),
    fc.constantFrom(...NUMBERS),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.string({ unit: 'binary' }),
    fc.bigInt().map(String),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 5 }).map((items) => `[${items.join(',')}]`),
  object: fc
    .array(fc.tuple(fc.constantFrom(...HOSTILE_KEYS), tie('value')), { maxLength: 5 })
    .map((members) => `{${members.map(([key, value]) => `"${key}":${value}`).join(',')}}`),
}));

/** Bodies of HTTP requests that are or resemble JSON-RPC, or not. @param methods names that exist, or are tempting */
export function hostileBodies(methods: readonly string[]): fc.Arbitrary<Buffer> {
  const request = fc
    .record({
      id: fc.oneof(anyValue, fc.constantFrom('1', '"a"', `"${'i'.repeat(5000)}"`)),
      method: fc.oneof(
        fc.constantFrom(...methods).map((name) => JSON.stringify(name)),
        anyValue,
      ),
      params: fc.oneof(
        fc.array(anyValue, { maxLength: 4 }).map((list) => `[${list.join(',')}]`),
        anyValue,
      ),
      extra: fc.option(fc.tuple(fc.constantFrom(...HOSTILE_KEYS), anyValue), { nil: undefined }),
    })
    .map(({ id, method, params, extra }) => {
      const more = extra ? `,"${extra[0]}":${extra[1]}` : '';
      return `{"jsonrpc":"2.0","id":${id},"method":${method},"params":${params}${more}}`;
    });

  const text = fc.oneof(
    { weight: 4, arbitrary: request },
    { weight: 2, arbitrary: fc.array(request, { maxLength: 8 }).map((all) => `[${all.join(',')}]`) },
    { weight: 1, arbitrary: anyValue },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('[', '{"a":', '[{"id":'), fc.integer({ min: 1, max: 20_000 }))
        .map(([open, depth]) => open.repeat(depth)),
    },
  );

  return fc.oneof(
    { weight: 6, arbitrary: text.map((it) => Buffer.from(it)) },
    { weight: 1, arbitrary: text.map((it) => Buffer.from(it, 'latin1')) },
    { weight: 1, arbitrary: text.map((it) => Buffer.from(`\ufeff${it}`, 'utf16le')) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    {
      // Cut short, or with a byte changed.
      weight: 2,
      arbitrary: fc.tuple(text, fc.nat(), fc.nat(255)).map(([it, at, byte]) => {
        const bytes = Buffer.from(it);
        if (byte % 2 === 0) return bytes.subarray(0, at % (bytes.length + 1));
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        return bytes;
      }),
    },
  );
}
