import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { TlsChoice, TlsMaterial } from '../../../common/tls-server.js';
import type { Config } from '../../config/config.js';
import { UnusableCredentialsError } from './unusable-credentials-error.js';
import { WatchedFiles } from './watched-files.js';

/** Paths; an empty one is not given. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

interface PortTlsOptions {
  paths: TlsPaths;
  /** Prefix of the flags, such as `rpc.tls`. */
  prefix: string;
  logger: Logger;
}

/** The certificate of one port, read again when its files change. */
export class PortTls {
  /** Undefined: plain HTTP. */
  readonly choice: TlsChoice | undefined;
  private readonly files: readonly string[];

  constructor(private readonly options: PortTlsOptions) {
    const { cert, key, clientCa = '' } = options.paths;
    this.files = [cert, key, clientCa].filter((path) => path !== '');
    this.choice = cert === '' ? undefined : { asksForCertificate: clientCa !== '' };
  }

  /**
   * Gives the port its certificate, at once and after each change, until the signal fires. Does nothing without TLS.
   *
   * @throws UnusableCredentialsError
   */
  async open(use: (material: TlsMaterial) => void, signal: AbortSignal): Promise<void> {
    if (!this.choice) return;
    const { files } = this;
    const { logger, prefix } = this.options;
    const watched = new WatchedFiles({
      paths: files,
      read: readMaterial,
      onChange: (material) => {
        use(material);
        logger.info({ files }, 'certificate read again');
      },
      onTrouble: (error) => logger.error(unusable(files, error), 'credentials cannot be read'),
    });
    const material = await watched.open().catch((error: Error) => {
      const flags = ['cert', 'key', 'client-ca'].slice(0, files.length).map((name) => `${prefix}.${name}`);
      throw new UnusableCredentialsError(flags, files, error);
    });
    use(material);
    void watched.watch(signal);
  }
}

/** The ports that can use TLS, besides the consensus port. */
export type TlsOfPorts = Readonly<Record<'rpc' | 'metrics' | 'webSocket', PortTls>>;

export function tlsOfPorts({ rpc, metrics, flashblocks }: Config, logger: Logger): TlsOfPorts {
  return {
    rpc: new PortTls({ paths: rpc.tls, prefix: 'rpc.tls', logger }),
    metrics: new PortTls({ paths: metrics.tls, prefix: 'metrics.tls', logger }),
    webSocket: new PortTls({ paths: flashblocks.tls, prefix: 'websocket.tls', logger }),
  };
}

/** Fields of the log line about files that changed and cannot be used. */
export function unusable(files: readonly string[], { message: reason }: Error): object {
  const remedy = 'correct the files: until then those read before stay in use';
  return { code: 'credential-file', files, reason, remedy };
}

/** @throws Error of OpenSSL if it is not a certificate or key, or if the key belongs to another certificate */
function readMaterial([cert, key, clientCa]: readonly Buffer[]): TlsMaterial {
  createSecureContext({ cert, key, ca: clientCa });
  return { cert: cert as Buffer, key: key as Buffer, clientCa };
}
