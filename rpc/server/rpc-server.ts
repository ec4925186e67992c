import type { Logger } from 'pino';
import { binaryCommit } from './binary-commit.js';
import type { CallReport, ChangeReport } from './json-rpc/call-report.js';
import type { ConductorApi } from './conductor-api.js';
import { conductorMethods } from './conductor-methods.js';
import { withBuiltinMethods } from './json-rpc/builtin-methods.js';
import type { DebugReport } from './debug-report.js';
import { Dispatcher } from './json-rpc/dispatcher.js';
import type { HttpServer } from './json-rpc/http-server.js';
import { createHttpServer } from './json-rpc/http-server.js';
import { method } from './json-rpc/method-table.js';
import { LargeBodyReader, type LargeBodyReaderOptions } from './large-bodies/large-body-reader.js';
import type { ProxyOptions } from './proxy-methods.js';
import { proxyMethods } from './proxy-methods.js';
import { readiness } from './readiness.js';
import { sequencerMethods, type SequencerByHandApi } from './sequencer-methods.js';

export interface RpcServerOptions {
  api: ConductorApi;
  /** Answers `conductor_debug`; absent: there is no such method. */
  debugReport?: () => Promise<DebugReport>;
  /** Absent: nobody starts or stops the sequencer by hand. */
  byHand?: SequencerByHandApi;
  /** Absent: nothing is proxied. */
  proxies?: Omit<ProxyOptions, 'isLeader' | 'logger'> | undefined;
  /** Shown by `/healthz` and `health_status`. */
  version: string;
  logger: Logger;
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Largest request body. op-conductor's 5 MiB halts chains with larger blocks. */
  bodyLimitBytes: number;
  /** Connections that are served at a time, others are closed at once; 4,096 unless given. */
  connectionsMax?: number;
  /** A request must have arrived whole within this time; 30 s unless given, as op-conductor. */
  readTimeoutMs?: number;
  /** How long a connection without a request is kept; 120 s unless given, as op-conductor. */
  idleTimeoutMs?: number;
  /** How large bodies are read; the defaults are for production. */
  largeBodies?: Omit<LargeBodyReaderOptions, 'logger'>;
  /** Told about every JSON-RPC call when it ends, for metrics. */
  onCall?: (report: CallReport) => void;
  /** Told about every JSON-RPC call that changes something when it has ended, for the record. */
  onChange?: (report: ChangeReport) => void;
}

const CONNECTIONS_MAX = 4096;

/**
 * The RPC port of one node: JSON-RPC on `/`, `/healthz`, `/readyz`, `/leader`, `/clusterz`,
 * `/commit-unsafe-payload`. Nothing is bound before `start`.
 */
export function createRpcServer(options: RpcServerOptions): HttpServer {
  const { api, debugReport, byHand, proxies, version, logger, host, port, bodyLimitBytes, onCall, onChange } =
    options;
  const methods = new Map([...conductorMethods(api), ...(byHand ? sequencerMethods(byHand) : [])]);
  if (debugReport) methods.set('conductor_debug', method([], debugReport));
  if (proxies) {
    const isLeader = (): boolean => api.leader();
    for (const [name, method] of proxyMethods({ ...proxies, isLeader, logger })) methods.set(name, method);
  }
  const dispatcher = new Dispatcher({
    methods: withBuiltinMethods(methods, version),
    logger,
    onCall,
    onChange,
  });
  const commits = binaryCommit({
    commit: (payload, options) => api.commitUnsafePayload(payload, options),
    bodyLimitBytes,
    onCall,
  });
  const largeBodies = new LargeBodyReader({ ...options.largeBodies, logger });
  const server = createHttpServer({
    dispatcher,
    largeBodies,
    version,
    logger,
    host,
    port,
    bodyLimitBytes,
    connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
    readTimeoutMs: options.readTimeoutMs ?? 30_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 120_000,
    addRoutes: (app) => {
      commits(app);
      readiness(api)(app);
    },
  });
  return {
    start: () => server.start(),
    stop: async (graceMs) => {
      await server.stop(graceMs);
      await largeBodies.close();
    },
  };
}
