import type { Rule } from './config-error.js';
import type { FlagName, FlagValues } from './flag-table.js';

/** Settings that a witness must not have: an operator who sets them takes it for a member with a node. */
export const witnessRules: readonly Rule[] = [
  ...(['node.rpc', 'execution.rpc', 'rollupboost.ws-url'] as const).map((flag) =>
    forbidden(flag, (values) => values[flag] !== ''),
  ),
  ...(
    ['rollup-boost.enabled', 'rollup-boost.next-enabled', 'healthcheck.execution-p2p-enabled'] as const
  ).map((flag) => forbidden(flag, (values) => values[flag])),
  {
    flags: ['raft.bootstrap', 'witness'],
    violated: (values) => values.witness && values['raft.bootstrap'],
    text: 'a witness cannot form a cluster alone',
    remedy: 'bootstrap a member with a node and add the witness to it, or list all members in raft.peers',
  },
];

/** The rule applies to members with a node. */
export function unlessWitness(rule: Rule): Rule {
  return { ...rule, violated: (values) => !values.witness && rule.violated(values) };
}

function forbidden(flag: FlagName, isGiven: (values: FlagValues) => boolean): Rule {
  return {
    flags: [flag, 'witness'],
    violated: (values) => values.witness && isGiven(values),
    text: `${flag} is given to a witness, which has no node`,
    remedy: `leave ${flag} out, or leave witness out if this member has a node`,
  };
}
