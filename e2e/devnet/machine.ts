/** Where a process runs. */
export interface Machine {
  /** The address on which its servers listen. */
  host: string;
  /** The command that starts another one there. */
  enter: readonly string[];
}

export const THIS_MACHINE: Machine = { host: '127.0.0.1', enter: [] };
