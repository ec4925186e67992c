import { keccak256, toRlp } from 'viem/utils';
import type { Hex } from 'viem';

/** Root of a trie without entries: what a header carries for no withdrawals. */
export const EMPTY_TRIE_ROOT: Hex = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

type Rlp = Uint8Array | Rlp[];

interface Entry {
  /** The key as 4-bit digits. */
  path: number[];
  value: Uint8Array;
}

/** Root of the Merkle-Patricia trie that maps RLP(index) to the value: a header's transactions root. */
export function orderedTrieRoot(values: Uint8Array[]): Hex {
  if (values.length === 0) return EMPTY_TRIE_ROOT;
  const entries = values.map((value, index) => ({ path: pathOf(index), value }));
  return keccak256(toRlp(nodeOf(entries, 0), 'bytes'));
}

function pathOf(index: number): number[] {
  const hex = index.toString(16);
  const bytes = index === 0 ? new Uint8Array() : Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return [...toRlp(bytes, 'bytes')].flatMap((byte) => [byte >> 4, byte & 15]);
}

/** The node for entries that agree in their first `depth` digits. No key is another's prefix: no branch has a value. */
function nodeOf(entries: Entry[], depth: number): Rlp {
  const [first, ...others] = entries;
  if (first === undefined) throw new Error('a trie node needs entries');
  if (others.length === 0) return [compact(first.path.slice(depth), true), first.value];
  let shared = depth;
  while (others.every(({ path }) => path[shared] === first.path[shared])) shared++;
  if (shared > depth) {
    return [compact(first.path.slice(depth, shared), false), reference(nodeOf(entries, shared))];
  }
  const children = Array.from({ length: 16 }, (_, digit): Rlp => {
    const below = entries.filter(({ path }) => path[depth] === digit);
    return below.length === 0 ? new Uint8Array() : reference(nodeOf(below, depth + 1));
  });
  return [...children, new Uint8Array()];
}

/** A node under 32 bytes is stored in its parent, a larger one by its hash. */
function reference(node: Rlp): Rlp {
  const encoded = toRlp(node, 'bytes');
  return encoded.length < 32 ? node : keccak256(encoded, 'bytes');
}

function compact(digits: number[], isLeaf: boolean): Uint8Array {
  const flag = isLeaf ? 2 : 0;
  const padded = digits.length % 2 === 0 ? [flag, 0, ...digits] : [flag + 1, ...digits];
  const bytes = new Uint8Array(padded.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (padded[2 * i]! << 4) | padded[2 * i + 1]!;
  return bytes;
}
