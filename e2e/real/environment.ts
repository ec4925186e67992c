import { THIS_MACHINE, type Machine } from '../devnet/machine.js';

/** Where a network runs. */
export interface Environment {
  /** Host of this process, the L1 and the batcher, as seen from the machines. */
  here: string;
  /** One for each sequencer node. */
  machines: readonly Machine[];
  /** Host of a node's consensus address, by the position of the node. */
  memberHost: (index: number) => string;
  /** Releases the machines when nothing runs there any longer. Synchronous, for the exit handler. */
  remove(): void;
}

export const LOOPBACK: Environment = {
  here: THIS_MACHINE.host,
  machines: [THIS_MACHINE, THIS_MACHINE, THIS_MACHINE],
  memberHost: () => THIS_MACHINE.host,
  remove: () => undefined,
};
