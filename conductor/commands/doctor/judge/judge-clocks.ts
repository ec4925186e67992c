import type { ClusterFacts } from '../facts.js';
import { failure, ok, warning, type Finding } from './finding.js';

/** Health checks compare block timestamps in whole seconds with the clock; limits of a few seconds are usual. */
const WARNING_MS = 500;
/** A block time: a node with this clock error seals at another time than the others expect, or seems late. */
const FAILURE_MS = 2000;

interface Clock {
  id: string;
  offsetMs: number;
  uncertaintyMs: number;
}

/** How far the clocks of the members differ, as far as it is certain: half of each round trip may be asymmetric. */
export function judgeClocks({ members }: ClusterFacts): Finding[] {
  const asked = members.flatMap(({ id, rpc }) => ('error' in rpc ? [] : [{ id, clock: rpc.clock }]));
  const silent = asked.filter(({ clock }) => clock === undefined).map(({ id }) => id);
  const found =
    silent.length === 0 ? [] : [warning('clocks', 'older-member', `not told by ${silent.join(', ')}`)];
  const clocks = asked.flatMap(({ id, clock }): Clock[] => (clock ? [{ id, ...clock }] : []));
  const worst = pairs(clocks).sort((a, b) => b.certainMs - a.certainMs)[0];
  if (!worst) return found;
  const { ahead, behind, apartMs, uncertaintyMs, certainMs } = worst;
  const seen = `${ahead} is ${Math.round(apartMs)} ms ahead of ${behind} (± ${Math.ceil(uncertaintyMs)} ms)`;
  if (certainMs >= FAILURE_MS) return [...found, failure('clocks', 'clocks-differ', seen)];
  if (certainMs >= WARNING_MS) return [...found, warning('clocks', 'clocks-differ', seen)];
  return [...found, ok('clocks', `largest difference: ${seen}`)];
}

function pairs(
  clocks: readonly Clock[],
): { ahead: string; behind: string; apartMs: number; uncertaintyMs: number; certainMs: number }[] {
  return clocks.flatMap((a) =>
    clocks.flatMap((b) => {
      const apartMs = a.offsetMs - b.offsetMs;
      if (a.id === b.id || apartMs < 0) return [];
      const uncertaintyMs = a.uncertaintyMs + b.uncertaintyMs;
      const certainMs = Math.max(0, apartMs - uncertaintyMs);
      return [{ ahead: a.id, behind: b.id, apartMs, uncertaintyMs, certainMs }];
    }),
  );
}
