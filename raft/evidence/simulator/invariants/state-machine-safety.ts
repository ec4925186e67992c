import { check } from '../../checks/violation.js';
import type { Evidence, Invariant } from './invariant.js';

/** I5 State Machine Safety (Raft thesis fig. 3.2): all nodes apply the same entries in the same order, forever. */
export function stateMachineSafety({ ledger }: Evidence): Invariant {
  return {
    applied(node, index, data) {
      const entry = ledger.at(index);
      check(entry !== undefined, 'I5', () => `${node.id} applied entry ${index}, which is not committed`);
      check(sameBytes(entry.data, data), 'I5', () => `${node.id} applied other bytes at ${index}`);
    },
    stepped({ node, process }) {
      const { index, hash } = process.application;
      check(
        ledger.at(index)?.stateHash === hash,
        'I5',
        () => `the state of ${node.id} at ${index} is not what the committed entries make`,
      );
    },
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && a.every((byte, at) => byte === b[at]));
}
