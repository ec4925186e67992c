import { expect, it } from '@jest/globals';
import type { ClusterVerdict } from '../../rpc/server/cluster-verdict.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import { SharedVerdict } from './shared-verdict.js';

useVirtualTime();

it('is computed once for all requests within half a second', async () => {
  let asked = 0;
  const shared = new SharedVerdict(async () => ({ voters: ++asked }) as ClusterVerdict);
  const [first, second] = await Promise.all([shared.get(), shared.get()]);
  await pass(400);
  expect([first, second, await shared.get()].map(({ voters }) => voters)).toEqual([1, 1, 1]);
  await pass(200);
  expect((await shared.get()).voters).toBe(2);
});
