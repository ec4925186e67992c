import type { Rule } from './config-error.js';
import type { FlagValues } from './flag-table.js';
import type { RaftPeer } from './value-types.js';

/** This node's entry in the formation list, if there is one. */
export function ownPeer(values: FlagValues): RaftPeer | undefined {
  return values['raft.peers'].find(({ id }) => id === values['raft.server.id']);
}

/** Rules for the static formation list. */
export const peerRules: readonly Rule[] = [
  {
    flags: ['raft.peers'],
    violated: (values) => hasDuplicates(values['raft.peers'].map(({ id }) => id)),
    text: 'an id is listed twice in raft.peers',
    remedy: 'give every member its own id',
  },
  {
    flags: ['raft.peers'],
    violated: (values) => hasDuplicates(values['raft.peers'].map(({ addr }) => addr.toLowerCase())),
    text: 'an address is listed twice in raft.peers',
    remedy: 'give every member its own address',
  },
  {
    flags: ['raft.peers', 'raft.server.id'],
    violated: (values) => values['raft.peers'].length > 0 && ownPeer(values) === undefined,
    text: 'raft.peers does not contain this node',
    remedy: 'list all members, this one included, the same on every node',
  },
  {
    flags: ['raft.peers', 'raft.bootstrap'],
    violated: (values) => values['raft.peers'].length > 0 && values['raft.bootstrap'],
    text: 'raft.peers and raft.bootstrap contradict each other',
    remedy: 'form the cluster from the list, or bootstrap one node and add the others, not both',
  },
  {
    flags: ['raft.peers', 'consensus.advertised'],
    violated: (values) => {
      const own = ownPeer(values);
      const advertised = values['consensus.advertised'];
      return own !== undefined && advertised !== '' && own.addr.toLowerCase() !== advertised.toLowerCase();
    },
    text: "this node's address in raft.peers is not its advertised one",
    remedy: 'give the same address in both, or leave the advertised one out',
  },
];

function hasDuplicates(items: readonly string[]): boolean {
  return new Set(items).size < items.length;
}
