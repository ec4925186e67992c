import { describe, expect, it } from '@jest/globals';
import { CoreHarness, heartbeat, timing } from './testing/core-harness.js';
import { votersBy } from './testing/membership-requests.js';
import { configurationOf, member, TestLog } from './testing/test-log.js';

describe('bootstrap', () => {
  const empty = {
    hardState: { term: 0, votedFor: null, commit: 0 },
    snapshot: null,
    headers: [],
    configurations: [],
  };
  const bootstrap = (node: CoreHarness, ids: string[]): number =>
    node.ask((id) => ({
      type: 'bootstrap',
      id,
      configuration: { members: ids.map((name) => member(name)) },
    }));

  it('gives an empty node its first configuration, the same bytes on every node', () => {
    const nodes = [new CoreHarness({ restored: empty }), new CoreHarness({ id: 'b', restored: empty })];
    const [a, b] = nodes as [CoreHarness, CoreHarness];
    expect(a.answer(bootstrap(a, ['a', 'b', 'c']))).toMatchObject({ outcome: 'done' });
    bootstrap(b, ['c', 'b', 'a']);
    expect(a.core.entry(1)?.chainHash).toBe(b.core.entry(1)?.chainHash);
    expect(a.status).toMatchObject({ term: 1, lastIndex: 1 });
  });

  it('is refused on any other node', () => {
    const node = new CoreHarness();
    expect(node.answer(bootstrap(node, ['a']))).toMatchObject({ outcome: 'rejected', reason: 'not-empty' });
    expect(votersBy(node)).toEqual(['a', 'b', 'c']);
  });

  it('is not needed to follow a cluster', () => {
    const node = new CoreHarness({ id: 'd', restored: empty });
    node.wait(10 * timing.electionTimeoutMs);
    expect(node.status).toMatchObject({ role: 'follower', term: 0 });
    node.receive('b', heartbeat(4));
    node.receive('b', new TestLog(configurationOf(['b', 'c'], ['d']), [4]).append(4, 0));
    expect(node.terms()).toEqual([1, 4]);
  });
});
