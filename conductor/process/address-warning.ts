import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { CoreStatus, RaftNodeEvents } from '../../raft/index.js';
import type { Config } from '../config/config.js';

interface Raft extends EventEmitter<RaftNodeEvents> {
  readonly nodeId: string;
  status(): Pick<CoreStatus, 'configuration'>;
}

/**
 * Members look for this node at its address in the cluster's log. A process that does not answer there does not count.
 * Only an address from the flags can be compared: where a node listens may be one interface, or all of them.
 */
export class AddressWarning {
  /** The last address in the log that it warned about. */
  private warnedOf: string | undefined;

  constructor(
    private readonly config: Config,
    private readonly raft: Raft,
    private readonly logger: Logger,
  ) {
    raft.on('configuration', () => this.check());
  }

  /** Warns once about the same address. The node must be open. */
  check(): void {
    const { advertisedAddr: advertised } = this.config.consensus;
    const { nodeId } = this.raft;
    const { members } = this.raft.status().configuration.configuration;
    const listed = members.find(({ id }) => id === nodeId)?.address;
    if (advertised === null || listed === undefined || isSameAddress(listed, advertised)) {
      this.warnedOf = undefined;
      return;
    }
    if (listed === this.warnedOf) return;
    this.warnedOf = listed;
    this.logger.warn(
      {
        code: 'address-differs',
        ...{ listed, advertised },
        remedy: `baton add ${nodeId} ${advertised}: its disk and its vote stay; or give it the listed address back`,
      },
      'the cluster has another address for this node than its flags say',
    );
  }
}

/** Host names are case-insensitive. */
const isSameAddress = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
