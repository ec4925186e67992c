/** What go-ethereum's `hexutil` finds wrong with a quantity of at most so many bits; undefined if nothing is. */
export function quantityProblem(text: string, maxBits: number): string | undefined {
  if (text === '') return 'empty hex string';
  if (!text.startsWith('0x') && !text.startsWith('0X')) return 'hex string without 0x prefix';
  const digits = text.slice(2);
  if (digits === '') return 'hex string "0x"';
  if (digits.length > 1 && digits.startsWith('0')) return 'hex number with leading zero digits';
  if (digits.length > maxBits / 4) return `hex number > ${maxBits} bits`;
  if (!/^[0-9a-fA-F]+$/.test(digits)) return 'invalid hex string';
  return undefined;
}
