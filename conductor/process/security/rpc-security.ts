import type { Logger } from 'pino';
import type { Refusal } from '../../../rpc/server/access/refusal.js';
import type { AccessOptions } from '../../../rpc/server/access/access-control.js';
import { parseTokenFile, type Holders } from '../../../rpc/server/access/token-file.js';
import type { Config } from '../../config/config.js';
import { isLoopback } from '../../config/host-port.js';
import { UnusableCredentialsError } from './unusable-credentials-error.js';
import { unusable } from './port-tls.js';
import { WatchedFiles } from './watched-files.js';

interface RpcSecurityOptions {
  rpc: Pick<Config['rpc'], 'tokenFile' | 'anonymousRole' | 'listenHost' | 'tls'>;
  logger: Logger;
  /** For metrics. */
  onRefusal: (refusal: Refusal) => void;
}

const OPEN = {
  code: 'rpc-port-open',
  remedy:
    'name those who may call it in --rpc.token-file, and give op-node a port of its own (--rpc.local-addr); keep the port on a private network until then (docs/SECURITY.md)',
};
const READABLE = {
  code: 'rpc-port-plain',
  remedy: 'give the port a certificate (--rpc.tls.cert, --rpc.tls.key), or keep it on a private network',
};

/** Who may call the RPC port: the file that lists the callers, and the reports about refused calls. */
export class RpcSecurity {
  private readonly tokens: WatchedFiles<Holders> | undefined;

  constructor(private readonly options: RpcSecurityOptions) {
    const { rpc, logger } = options;
    const { tokenFile, listenHost, tls } = rpc;
    if (!isLoopback(listenHost)) {
      if (tokenFile === '') logger.warn(OPEN, 'anyone who reaches the RPC port can stop the sequencer');
      else if (tls.cert === '') logger.warn(READABLE, 'tokens for the RPC port can be read on the network');
    }
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
   * Reads the file, then reads it again after each change until the signal fires.
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
