import { call } from './json-rpc.js';
import type { SequencerNode } from './node.js';

/** Which nodes say that they lead, and which op-nodes say that they sequence. A node that does not answer does neither. */
export interface Roles {
  leaders: SequencerNode[];
  active: SequencerNode[];
}

export async function roles(nodes: readonly SequencerNode[]): Promise<Roles> {
  const leads = await Promise.all(nodes.map((node) => says(node.conductorUrl, 'conductor_leader')));
  const sequences = await Promise.all(nodes.map((node) => says(node.nodeUrl, 'admin_sequencerActive')));
  return {
    leaders: nodes.filter((_, index) => leads[index]),
    active: nodes.filter((_, index) => sequences[index]),
  };
}

/** The node that leads and sequences while no other does either; `undefined` when that is not so. */
export async function soleSequencer(nodes: readonly SequencerNode[]): Promise<SequencerNode | undefined> {
  const { leaders, active } = await roles(nodes);
  return leaders.length === 1 && active.length === 1 && leaders[0] === active[0] ? leaders[0] : undefined;
}

/** {@link Roles} in words. */
export function describeRoles({ leaders, active }: Roles): string {
  const names = (nodes: SequencerNode[]) => nodes.map((node) => node.name).join(' and ') || 'nobody';
  return `${names(leaders)} leads, ${names(active)} sequences`;
}

async function says(url: string, method: string): Promise<boolean> {
  return call<boolean>(url, method).catch(() => false);
}
