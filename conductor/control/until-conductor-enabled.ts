import type { Logger } from 'pino';
import type { OpNodeClient } from '../../rpc/clients/op-node-client.js';
import type { Sleep } from '../time/sleep.js';
import type { LocalNode } from './local-node.js';

/** Pause before a silent op-node is asked again. */
const RETRY_MS = 250;

interface EnabledOptions {
  opNode: Pick<OpNodeClient, 'conductorEnabled'>;
  /** Hears why polling cannot begin yet. */
  localNode: Pick<LocalNode, 'noteUnreachable'>;
  logger: Logger;
  signal: AbortSignal;
  sleep: Sleep;
}

/**
 * Waits for op-node to say whether it asks a conductor before it publishes; without that, two sequencers could fork the
 * chain. Undefined when the signal fired before there was an answer.
 */
export async function untilConductorEnabled(options: EnabledOptions): Promise<boolean | undefined> {
  const { opNode, localNode, logger, signal } = options;
  let lastReason = '';
  while (!signal.aborted) {
    try {
      const enabled = await opNode.conductorEnabled({ signal });
      return enabled && signal.aborted ? undefined : enabled;
    } catch (error) {
      if (signal.aborted) return undefined;
      const reason = (error as Error).message;
      localNode.noteUnreachable(reason);
      if (reason !== lastReason) logger.warn({ reason }, 'op-node does not answer yet');
      lastReason = reason;
    }
    await options.sleep(RETRY_MS, signal).catch(() => undefined);
  }
  return undefined;
}
