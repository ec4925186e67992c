import type { Logger } from 'pino';
import { AccessControl, type AccessOptions } from './access/access-control.js';
import type { Role } from './access/roles.js';
import type { Holders } from './access/token-file.js';
import { binaryCommit } from './binary-commit.js';
import type { CallReport, ChangeReport } from './json-rpc/call-report.js';
import type { ConductorApi } from './conductor-api.js';
import { conductorMethods } from './conductor-methods.js';
import { withBuiltinMethods } from './json-rpc/builtin-methods.js';
import type { DebugReport } from './debug-report.js';
import { Dispatcher } from './json-rpc/dispatcher.js';
import type { CommonOptions, HttpServer, ListenAt } from './json-rpc/http-server.js';
import { createHttpServer } from './json-rpc/http-server.js';
import { method } from './json-rpc/method-table.js';
import { LargeBodyReader, type LargeBodyReaderOptions } from './large-bodies/large-body-reader.js';
import { answerMember } from './member-calls.js';
import type { ProxyOptions } from './proxy-methods.js';
import { proxyMethods } from './proxy-methods.js';
import { readiness } from './readiness.js';
import { sequencerMethods, type SequencerByHandApi } from './sequencer-methods.js';

export interface RpcServerOptions {
  api: ConductorApi;
  /** Answers `conductor_debug`; absent: the method does not exist. */
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
  /** Connections served at a time; others are closed at once. 4,096 by default. */
  connectionsMax?: number;
  /** A request must have arrived whole within this time; 30 s by default, like op-conductor. */
  readTimeoutMs?: number;
  /** How long a connection without a request is kept; 120 s by default, like op-conductor. */
  idleTimeoutMs?: number;
  /** How large bodies are read; the defaults are for production. */
  largeBodies?: Omit<LargeBodyReaderOptions, 'logger'>;
  /** Hears of every JSON-RPC call when it ends, for metrics. */
  onCall?: (report: CallReport) => void;
  /** Hears of every JSON-RPC call that changes something when it has ended, for the record. */
  onChange?: (report: ChangeReport) => void;
  /** Absent: nobody needs a credential. */
  access?: Pick<AccessOptions, 'holders' | 'anonymousRoles' | 'onRefusal'> | undefined;
  /** Absent: plain HTTP. */
  tls?: CommonOptions['tls'];
  /**
   * A second port, for op-node on this machine: it needs no credential, serves only the role `sequencer`, in plain
   * HTTP, and takes that role from the other port.
   */
  local?: ListenAt | undefined;
}

/** Both ports of one node. */
export interface RpcServer extends Omit<HttpServer, 'start'> {
  /** Rejects when a port cannot be bound. `localPort` is undefined without a second port, and 0 for a Unix socket. */
  start(): Promise<{ port: number; localPort: number | undefined }>;
  /** Answers a call that another member of the cluster passes to this one; not over these ports. Never rejects. */
  answerMember(request: unknown, member: string): Promise<object>;
}

const CONNECTIONS_MAX = 4096;
const LOCAL_ROLES: readonly Role[] = ['sequencer'];
const NOBODY: Holders = { tokens: [], certificates: [] };

/**
 * The RPC port of one node: JSON-RPC on `/`, `/healthz`, `/readyz`, `/leader`, `/clusterz`,
 * `/commit-unsafe-payload`. Nothing is bound before `start`.
 */
export function createRpcServer(options: RpcServerOptions): RpcServer {
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
  const shared = {
    dispatcher,
    largeBodies,
    version,
    logger,
    bodyLimitBytes,
    connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
    readTimeoutMs: options.readTimeoutMs ?? 30_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 120_000,
    addRoutes: (app, gate) => {
      commits(app, gate);
      readiness(api)(app, gate);
    },
  } satisfies Omit<CommonOptions, 'access'>;
  const { access, local } = options;
  const limits = { nowMs: () => performance.now(), onRefusal: access?.onRefusal ?? (() => undefined) };
  const server = createHttpServer({
    ...shared,
    host,
    port,
    tls: options.tls,
    access: new AccessControl({
      ...limits,
      holders: access?.holders ?? (() => undefined),
      anonymousRoles: access?.anonymousRoles ?? [],
      withheldRoles: local ? LOCAL_ROLES : [],
    }),
  });
  const localServer =
    local &&
    createHttpServer({
      ...shared,
      ...local,
      access: new AccessControl({
        ...limits,
        holders: () => NOBODY,
        anonymousRoles: LOCAL_ROLES,
        withheldRoles: [],
      }),
    });
  return {
    start: async () => {
      const started = await server.start();
      const localPort = (await localServer?.start())?.port;
      return { ...started, localPort };
    },
    answerMember: (request, member) => answerMember(dispatcher, request, member),
    useTls: (material) => server.useTls(material),
    stop: async (graceMs) => {
      await Promise.all([server.stop(graceMs), localServer?.stop(graceMs)]);
      await largeBodies.close();
    },
  };
}
