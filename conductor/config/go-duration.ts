/** Nanoseconds in one unit of Go's `time.ParseDuration`. */
const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5, micro sign
  μs: 1e3, // U+03BC, Greek mu
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

const NS_PER_MS = 1e6;

/** Beyond this Go's 64 bits overflow. */
const LONGEST_NS = 2 ** 63;

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Milliseconds of a duration in Go's syntax (`500ms`, `1s`, `1h2m3.5s`), to the nanosecond; null if it is not one. */
export function parseGoDuration(text: string): number | null {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  let ns = 0;
  let end = 0;
  while (end < body.length || end === 0) {
    PART.lastIndex = end;
    const part = PART.exec(body);
    if (!part) return null;
    ns += Number(part[1]) * UNIT_NS[part[2]!]!;
    end = PART.lastIndex;
  }
  if (ns > LONGEST_NS) return null;
  return ns === 0 ? 0 : (sign * Math.round(ns)) / NS_PER_MS;
}

/** Writes milliseconds as Go prints a duration: `0s`, `1.5ms`, `2m0s`, `1h0m0.5s`. */
export function formatGoDuration(ms: number): string {
  if (ms < 0) return `-${formatGoDuration(-ms)}`;
  const ns = Math.round(ms * NS_PER_MS);
  if (ns > 0 && ns < 1e9) {
    const unit = ns < 1e3 ? 'ns' : ns < 1e6 ? 'µs' : 'ms';
    return `${ns / UNIT_NS[unit]!}${unit}`;
  }
  const hours = Math.floor(ns / 3_600e9);
  const minutes = Math.floor((ns % 3_600e9) / 60e9);
  const seconds = `${((ns % 60e9) / 1e9).toFixed(9).replace(/\.?0+$/, '')}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
