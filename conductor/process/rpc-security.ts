import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { Refusal } from '../../rpc/server/access/refusal.js';
import type { Role } from '../../rpc/server/access/roles.js';
import { parseTokenFile, type Holders } from '../../rpc/server/access/token-file.js';
import type { TlsMaterial } from '../../rpc/server/json-rpc/http-server.js';
import type { Config } from '../config/config.js';
import { CredentialFileError } from './credential-file-error.js';
import { WatchedFiles } from './watched-files.js';

interface RpcSecurityOptions {
  rpc: Config['rpc'];
  logger: Logger;
  /** For metrics. */
  onRefusal: (refusal: Refusal) => void;
}

/** The credentials of the RPC port: the files that hold them, and what is told about calls that were refused. */
export class RpcSecurity {
  private readonly tokens: WatchedFiles<Holders> | undefined;
  private readonly tls: WatchedFiles<TlsMaterial> | undefined;

  constructor(private readonly options: RpcSecurityOptions) {
    const { rpc, logger } = options;
    const { tokenFile, tls } = rpc;
    if (tokenFile !== '') {
      this.tokens = new WatchedFiles({
        paths: [tokenFile],
        read: ([content]) => parseTokenFile((content as Buffer).toString()),
        onChange: ({ tokens, certificates }) =>
          logger.info(
            { file: tokenFile, tokens: tokens.length, certificates: certificates.length },
            'credentials of the RPC port read again',
          ),
        onTrouble: (error) => this.warnOf(error, [tokenFile]),
      });
    }
    if (tls.cert !== '') {
      const paths = [tls.cert, tls.key, ...(tls.clientCa === '' ? [] : [tls.clientCa])];
      this.tls = new WatchedFiles({
        paths,
        read: readTls,
        onChange: (material) => {
          this.useTls(material);
          logger.info({ files: paths }, 'certificate of the RPC port read again');
        },
        onTrouble: (error) => this.warnOf(error, paths),
      });
    }
  }

  /** For the server of the port. */
  get access(): {
    holders: () => Holders | undefined;
    anonymousRoles: readonly Role[];
    onRefusal: (r: Refusal) => void;
  } {
    const { anonymousRole } = this.options.rpc;
    return {
      holders: () => this.tokens?.value,
      anonymousRoles: anonymousRole === 'none' ? [] : [anonymousRole],
      onRefusal: (refusal) => this.refused(refusal),
    };
  }

  /**
   * Reads all files; from then on they are read again when they change, until the signal fires.
   *
   * @param useTls gives the port its certificate, now and whenever it changes
   * @throws CredentialFileError
   */
  async open(useTls: (material: TlsMaterial) => void, signal: AbortSignal): Promise<void> {
    const { tokenFile, tls } = this.options.rpc;
    this.useTls = useTls;
    await this.tokens?.open().catch((error: Error) => {
      throw new CredentialFileError(['rpc.token-file'], [tokenFile], error);
    });
    const material = await this.tls?.open().catch((error: Error) => {
      const flags = ['rpc.tls.cert', 'rpc.tls.key', 'rpc.tls.client-ca'];
      throw new CredentialFileError(flags, [tls.cert, tls.key, tls.clientCa].filter(Boolean), error);
    });
    if (material) useTls(material);
    void this.tokens?.watch(signal);
    void this.tls?.watch(signal);
  }

  private useTls: (material: TlsMaterial) => void = () => undefined;

  private refused({ cause, address, holder, what, isOneOfMany }: Refusal): void {
    this.options.onRefusal({ cause, address, holder, what, isOneOfMany });
    if (isOneOfMany) return;
    this.options.logger.warn({ cause, address, holder, what }, 'call refused on the RPC port');
  }

  private warnOf(error: Error, files: readonly string[]): void {
    const { message: reason } = error;
    const remedy = 'correct the files: until then those read before stay in use';
    this.options.logger.error(
      { code: 'credential-file', files, reason, remedy },
      'credentials cannot be read',
    );
  }
}

/** @throws Error of OpenSSL for what is no certificate or key, or a key of another certificate */
function readTls([cert, key, clientCa]: readonly Buffer[]): TlsMaterial {
  const material = { cert: cert as Buffer, key: key as Buffer, clientCa };
  createSecureContext({ cert, key, ca: clientCa });
  return material;
}
