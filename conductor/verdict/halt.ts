import { leaders, newestOf, type ClusterView } from './cluster-view.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';

export type Halt = NonNullable<ConductorStatus['halt']>;

/** The halt of the cluster, from its leader, or without one from the member that has applied most; null if there is none. */
export function haltOf(view: ClusterView): Halt | null {
  const [leader] = leaders(view);
  return (leader ?? newestOf(view))?.status.halt ?? null;
}

/** By whom and why, as the end of a sentence; empty if neither is known. */
export function haltText({ owner, reason }: Halt): string {
  return `${owner === '' ? '' : ` by ${owner}`}${reason === '' ? '' : `: ${reason}`}`;
}

const AGES: readonly string[] = ['unsafe-head-old', 'safe-head-old'];

/** The only problem of its node is that the chain has stopped. */
export function isOnlyOld({ health }: ConductorStatus): boolean {
  return health.reasons.length > 0 && health.reasons.every(({ code }) => AGES.includes(code));
}
