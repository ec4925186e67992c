import type { Logger } from 'pino';
import type { Refusal } from '../../../rpc/server/access/refusal.js';
import type { AccessOptions } from '../../../rpc/server/access/access-control.js';
import { parseTokenFile, type Holders } from '../../../rpc/server/access/token-file.js';
import type { Config } from '../../config/config.js';
import { UnusableCredentialsError } from './unusable-credentials-error.js';
import { unusable } from './port-tls.js';
import { WatchedFiles } from './watched-files.js';

interface RpcSecurityOptions {
  rpc: Pick<Config['rpc'], 'tokenFile' | 'anonymousRole'>;
  logger: Logger;
  /** For metrics. */
  onRefusal: (refusal: Refusal) => void;
}

/** Who may call the RPC port: the file that says so, and what is told about calls that were refused. */
export class RpcSecurity {
  private readonly tokens: WatchedFiles<Holders> | undefined;

  constructor(private readonly options: RpcSecurityOptions) {
    const { rpc, logger } = options;
    const { tokenFile } = rpc;
    if (tokenFile === '') return;
    this.tokens = new WatchedFiles({
      paths: [tokenFile],
      read: ([content]) => parseTokenFile((content as Buffer).toString()),
      onChange: ({ tokens, certificates }) =>
        logger.info(
          { file: tokenFile, tokens: tokens.length, certificates: certificates.length },
          'credentials of the RPC port read again',
        ),
      onTrouble: (error) => logger.error(unusable([tokenFile], error), 'credentials cannot be read'),
    });
  }

  /** For the server of the port. */
  get access(): Pick<AccessOptions, 'holders' | 'anonymousRoles' | 'onRefusal'> {
    const { anonymousRole } = this.options.rpc;
    return {
      holders: () => this.tokens?.value,
      anonymousRoles: anonymousRole === 'none' ? [] : [anonymousRole],
      onRefusal: (refusal) => this.refused(refusal),
    };
  }

  /**
   * Reads the file; from then on it is read again when it changes, until the signal fires.
   *
   * @throws UnusableCredentialsError
   */
  async open(signal: AbortSignal): Promise<void> {
    await this.tokens?.open().catch((error: Error) => {
      throw new UnusableCredentialsError(['rpc.token-file'], [this.options.rpc.tokenFile], error);
    });
    void this.tokens?.watch(signal);
  }

  private refused(refusal: Refusal): void {
    this.options.onRefusal(refusal);
    const { cause, address, holder, what, isOneOfMany } = refusal;
    if (isOneOfMany) return;
    this.options.logger.warn({ cause, address, holder, what }, 'call refused on the RPC port');
  }
}
