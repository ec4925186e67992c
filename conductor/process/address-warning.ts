import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { CoreStatus, RaftNodeEvents } from '../../raft/index.js';
import type { Config } from '../config/config.js';

interface Raft extends EventEmitter<RaftNodeEvents> {
  readonly nodeId: string;
  status(): Pick<CoreStatus, 'configuration'>;
}

/**
 * The others look for this node where the cluster's log has it, and a process that does not answer there does not count.
 * Only an address that the flags name can be compared: where a node listens may be an interface, or all of them.
 */
export class AddressWarning {
  /** The address in the log that was last warned of. */
  private warnedOf: string | undefined;

  constructor(
    private readonly config: Config,
    private readonly raft: Raft,
    private readonly logger: Logger,
  ) {
    raft.on('configuration', () => this.check());
  }

  /** Warns once of the same address. The node must be open. */
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

/** Host names are the same in upper and lower case. */
const isSameAddress = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
