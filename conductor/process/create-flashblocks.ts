import type { Registry } from 'prom-client';
import type { Logger } from 'pino';
import { parseEndpoint, WEBSOCKET, withoutQuery } from '../../common/endpoint.js';
import { FlashblocksMetrics } from '../../rpc/flashblocks/flashblocks-metrics.js';
import { FlashblocksProxy } from '../../rpc/flashblocks/flashblocks-proxy.js';
import type { Config } from '../config/config.js';
import type { ConnectionLimits } from './connection-limits.js';
import type { PortTls } from './security/port-tls.js';

interface FlashblocksNeeds {
  registry: Registry;
  limits: ConnectionLimits;
  tls: PortTls;
  /** Whether this node may forward now. */
  isLeader: () => boolean;
  logger: Logger;
}

/** Undefined without an upstream; its metrics always exist, as op-conductor's do. */
export function createFlashblocks(
  config: Config,
  { registry, limits, tls, isLeader, logger }: FlashblocksNeeds,
): FlashblocksProxy | undefined {
  const { upstreamUrl, listenHost, listenPort, compression } = config.flashblocks;
  const source = upstreamUrl === '' ? '' : withoutQuery(parseEndpoint(upstreamUrl, WEBSOCKET));
  const observer = new FlashblocksMetrics(registry, source);
  if (upstreamUrl === '') return undefined;
  return new FlashblocksProxy({
    upstreamUrl,
    host: listenHost,
    port: listenPort,
    compression,
    maxClients: limits.flashblocksClients,
    tls: tls.choice,
    isLeader,
    observer,
    logger: logger.child({ part: 'flashblocks' }),
  });
}
