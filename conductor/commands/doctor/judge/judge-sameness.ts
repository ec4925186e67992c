import { answering, ofThisCluster, type Answering } from '../../../verdict/cluster-view.js';
import type { ClusterFacts } from '../facts.js';
import { failure, ok, warning, type Finding } from './finding.js';

/** Must be the same on all members: release, chain, and the blocks at one height. */
export function judgeSameness({ view }: ClusterFacts): Finding[] {
  const members = answering(view);
  return [...versionsOf(members), ...chainsOf(members), ...headsOf(ofThisCluster(view))];
}

function versionsOf(members: readonly Answering[]): Finding[] {
  const versions = byValue(members, ({ status }) => status.version);
  return [
    versions.size > 1
      ? warning('versions', 'versions-differ', told(versions))
      : ok('versions', [...versions.keys()].join()),
  ];
}

function chainsOf(members: readonly Answering[]): Finding[] {
  const chains = byValue(members, ({ status }) => status.node.chainId);
  if (chains.size === 0) return [];
  return [
    chains.size > 1
      ? failure('chain-id', 'other-chain', `their execution clients are on different chains: ${told(chains)}`)
      : ok('chain-id', [...chains.keys()].join()),
  ];
}

/** Committed blocks at one height are the same everywhere; the verdict judges the blocks of the nodes above them. */
function headsOf(members: readonly Answering[]): Finding[] {
  const heads = members.flatMap(({ id, status }) => (status.head ? [{ id, ...status.head }] : []));
  for (const a of heads) {
    const b = heads.find((other) => other.number === a.number && other.hash !== a.hash);
    if (!b) continue;
    const text = `${a.id} has committed ${a.hash} as block ${a.number}, ${b.id} ${b.hash}`;
    return [failure('heads', 'committed-apart', text)];
  }
  if (heads.length === 0) return [];
  const numbers = heads.map(({ number }) => number);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return [ok('heads', least === most ? `all at block ${most}` : `committed up to block ${least} to ${most}`)];
}

/** Ids of the members by value; members that do not report it are left out. */
function byValue<T>(
  members: readonly Answering[],
  valueOf: (member: Answering) => T | null | undefined,
): Map<T, string[]> {
  const found = new Map<T, string[]>();
  for (const member of members) {
    const value = valueOf(member);
    if (value === null || value === undefined) continue;
    found.set(value, [...(found.get(value) ?? []), member.id]);
  }
  return found;
}

const told = (ids: ReadonlyMap<unknown, readonly string[]>): string =>
  [...ids].map(([value, who]) => `${who.join(', ')}: ${String(value)}`).join('; ');
