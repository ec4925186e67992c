import { describe, expect, it } from '@jest/globals';
import { chainOf, refOf } from '../testing/chain.js';
import { FakeNode } from '../testing/fake-node.js';
import { localHead } from './local-head.js';

/** A client at block 10, whose op-node is at another block. */
function nodeAt(unsafeHead: ReturnType<typeof refOf> | undefined): FakeNode {
  const node = new FakeNode(chainOf(0, 10).map(({ number }) => refOf(number)));
  node.unsafeHead = unsafeHead;
  return node;
}

describe('localHead', () => {
  it.each([
    ['the same for both', undefined, refOf(10)],
    ['that of op-node, which walked back where the client did not', refOf(7), refOf(7)],
    ['that of the client, where op-node believes to have more', refOf(12), refOf(10)],
    ['that of the client, which follows op-node to another branch', refOf(7, 'b'), refOf(10)],
  ])('is %s', async (_, unsafeHead, expected) => {
    expect(await localHead(nodeAt(unsafeHead), { timeoutMs: 1000 })).toEqual(expected);
  });
});
