/**
 * What a credential lets its holder do:
 *
 * - `read`: everything that changes nothing
 * - `sequencer`: op-node's calls to its conductor, above all the commit of blocks
 * - `operate`: `read`, and an operator's everyday calls
 * - `emergency`: `operate`, and calls that can stop the chain or fork it
 */
export const ROLES = ['read', 'sequencer', 'operate', 'emergency'] as const;

export type Role = (typeof ROLES)[number];

const INCLUDED: Readonly<Record<Role, readonly Role[]>> = {
  read: ['read'],
  sequencer: ['sequencer'],
  operate: ['operate', 'read'],
  emergency: ['emergency', 'operate', 'read'],
};

/** Whether the holder of these roles may do what any of `needed` may. */
export function grants(held: readonly Role[], needed: readonly Role[]): boolean {
  return held.some((role) => INCLUDED[role].some((included) => needed.includes(included)));
}
