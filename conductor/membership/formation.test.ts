import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { Member } from '../../raft/index.js';
import { WIRE_VERSIONS } from '../../raft/transport/wire-versions.js';
import { silent } from '../testing/chain.js';
import { virtualSleep } from '../testing/virtual-sleep.js';
import { useVirtualTime } from '../testing/virtual-time.js';
import { formCluster, peersDigest, type FormationAnswer, type ListedPeer } from './formation.js';

useVirtualTime();

const RETRY_MS = 250;
const DIAL_MS = 1000;
const peers: ListedPeer[] = ['b', 'c', 'a'].map((id) => ({ id, addr: `${id}:1` }));

/** One node of the list. It answers `hello` while it is up. */
interface Node {
  list: readonly ListedPeer[];
  up: boolean | 'hangs';
  empty: boolean;
  clusterId: string | null;
  nodeId: string;
  /** Of the newest wire format; this release's if absent. */
  wireVersion?: number;
}

let nodes: Map<string, Node>;
/** Members with which clusters were founded, by founder. */
let founded: [string, readonly Member[]][];
let abort: AbortController;
let hellos: number;
/** The reason that it gives for waiting. */
let reasons: string[];

interface Line {
  reason: string;
}

function answerOf(node: Node): FormationAnswer {
  const { nodeId, clusterId, empty, list, wireVersion = WIRE_VERSIONS.newest } = node;
  return {
    nodeId,
    clusterId,
    incarnation: `disk-${nodeId}`,
    wireVersion,
    oldestWireVersion: wireVersion,
    empty,
    peersDigest: list.length > 0 ? peersDigest(list) : null,
  };
}

function hello(address: string): Promise<FormationAnswer> {
  hellos += 1;
  const node = nodes.get(address);
  if (!node || node.up === false) return Promise.reject(new Error('connect ECONNREFUSED'));
  if (node.up === 'hangs') return new Promise(() => undefined);
  return Promise.resolve(answerOf(node));
}

/** Runs the formation on one node of the list; founding makes all its members part of the cluster. */
function form(id: string): Promise<void> {
  const node = nodes.get(`${id}:1`) as Node;
  return formCluster({
    self: { id, incarnation: `disk-${id}` },
    peers: node.list,
    hello,
    isMember: () => node.clusterId !== null,
    bootstrap: async (members) => {
      founded.push([id, members]);
      for (const { address } of members) (nodes.get(address) as Node).clusterId = `by-${id}`;
    },
    logger: pino({}, { write: (line: string) => void reasons.push((JSON.parse(line) as Line).reason) }),
    signal: abort.signal,
    retryMs: RETRY_MS,
    dialTimeoutMs: DIAL_MS,
    sleep: virtualSleep,
  });
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  founded = [];
  hellos = 0;
  reasons = [];
  abort = new AbortController();
  nodes = new Map(
    peers.map(({ id, addr }) => [addr, { list: peers, up: true, empty: true, clusterId: null, nodeId: id }]),
  );
});
afterEach(async () => {
  abort.abort();
  await pass(0);
  expect(jest.getTimerCount()).toBe(0);
});

describe('peersDigest', () => {
  it('does not depend on the order, but on every id and address', () => {
    expect(peersDigest([...peers].reverse())).toBe(peersDigest(peers));
    const others = [
      peers.slice(1),
      [...peers, { id: 'd', addr: 'd:1' }],
      peers.map((peer) => (peer.id === 'a' ? { ...peer, addr: 'a:2' } : peer)),
      peers.map((peer) => (peer.id === 'a' ? { ...peer, id: 'z' } : peer)),
    ];
    expect(new Set([peers, ...others].map(peersDigest)).size).toBe(5);
  });
});

describe('formCluster', () => {
  it('the first of the list founds the cluster with all of it; the others join', async () => {
    const all = Promise.all(['c', 'b', 'a'].map(form));
    await pass(2 * RETRY_MS);
    await all;
    const member = (id: string): Member => ({
      id,
      address: `${id}:1`,
      incarnation: `disk-${id}`,
      voter: true,
    });
    expect(founded).toEqual([['a', ['b', 'c', 'a'].map(member)]]);
  });

  it('works for a list of one', async () => {
    nodes.set('a:1', { list: [peers[2]!], up: true, empty: true, clusterId: null, nodeId: 'a' });
    await form('a');
    expect(founded.map(([by, members]) => [by, members.length])).toEqual([['a', 1]]);
    expect(hellos).toBe(0);
  });

  it('only the first node founds, however long that takes', async () => {
    const waiting = [form('b'), form('c')];
    await pass(20 * RETRY_MS);
    expect(founded).toEqual([]);
    const first = form('a');
    await pass(2 * RETRY_MS);
    await Promise.all([first, ...waiting]);
    expect(founded).toHaveLength(1);
  });

  describe.each(['b:1', 'c:1'])('never founds while %s', (address) => {
    const change = (changes: Partial<Node>): void => void Object.assign(nodes.get(address) as Node, changes);

    it.each<[string, Partial<Node>]>([
      ['is down', { up: false }],
      ['hangs', { up: 'hangs' }],
      ['is not empty', { empty: false }],
      ['belongs to a cluster', { clusterId: 'old', empty: false }],
      ['belongs to a cluster although it is empty', { clusterId: 'old' }],
      ['was given another list', { list: peers.slice(0, 2) }],
      ['was given no list', { list: [] }],
      ['is another node', { nodeId: 'z' }],
      ['speaks another wire version', { wireVersion: WIRE_VERSIONS.newest + 2 }],
    ])('%s', async (_, fault) => {
      change(fault);
      void form('a');
      await pass(20 * (RETRY_MS + DIAL_MS));
      expect(founded).toEqual([]);
    });
  });

  it('founds as soon as the last one is there', async () => {
    Object.assign(nodes.get('c:1') as Node, { up: false });
    const forming = form('a');
    await pass(10 * RETRY_MS);
    expect(founded).toEqual([]);
    Object.assign(nodes.get('c:1') as Node, { up: true });
    await pass(RETRY_MS);
    await forming;
    expect(founded).toHaveLength(1);
  });

  it('asks again only after a pause', async () => {
    Object.assign(nodes.get('b:1') as Node, { up: false });
    void form('a');
    await pass(10 * RETRY_MS + 1);
    expect(hellos).toBe(11);
  });

  it('gives up on a hung peer at its deadline, even if the request ignores the signal', async () => {
    Object.assign(nodes.get('b:1') as Node, { up: 'hangs' });
    const forming = form('a');
    await pass(DIAL_MS - 1);
    expect(hellos).toBe(1);
    Object.assign(nodes.get('b:1') as Node, { up: true });
    await pass(RETRY_MS + 10);
    await forming;
    expect(founded).toHaveLength(1);
  });

  it('25: says why it waits, but not during the moment in which another node founds its cluster', async () => {
    const b = nodes.get('b:1') as Node;
    Object.assign(b, { up: false });
    void form('a');
    await pass(10 * RETRY_MS);
    expect(reasons).toEqual(['b at b:1 does not answer: connect ECONNREFUSED']);
    Object.assign(b, { up: true, clusterId: 'by-b' });
    await pass(15 * RETRY_MS);
    expect(reasons).toHaveLength(1);
    await pass(10 * RETRY_MS);
    expect(reasons.slice(1)).toEqual([expect.stringContaining('b already belongs to a cluster')]);
  });

  it('ends if the node is added to a cluster in another way', async () => {
    Object.assign(nodes.get('b:1') as Node, { up: false });
    const forming = form('a');
    await pass(3 * RETRY_MS);
    (nodes.get('a:1') as Node).clusterId = 'added by an operator';
    await pass(RETRY_MS);
    await forming;
    expect(founded).toEqual([]);
  });

  it('does not found if the node was added while it asked the others', async () => {
    const forming = form('a');
    (nodes.get('a:1') as Node).clusterId = 'added by an operator';
    await pass(RETRY_MS);
    await forming;
    expect(founded).toEqual([]);
  });

  it('ends at once when its signal fires, while it waits and while it asks', async () => {
    Object.assign(nodes.get('b:1') as Node, { up: false });
    const waiting = form('a');
    await pass(10);
    Object.assign(nodes.get('b:1') as Node, { up: 'hangs' });
    const asking = form('c');
    await pass(10);
    abort.abort();
    await Promise.all([waiting, asking]);
    expect(founded).toEqual([]);
  });

  it('reports a failure to the founder', async () => {
    const node = nodes.get('a:1') as Node;
    const forming = formCluster({
      self: { id: 'a', incarnation: 'disk-a' },
      peers: node.list,
      hello,
      isMember: () => false,
      bootstrap: () => Promise.reject(new Error('disk full')),
      logger: silent,
      signal: abort.signal,
      retryMs: RETRY_MS,
      dialTimeoutMs: DIAL_MS,
      sleep: virtualSleep,
    });
    await expect(forming).rejects.toThrow('disk full');
  });
});
