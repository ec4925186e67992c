import type { Hex } from 'viem';
import type { SequencerNode } from './node.js';

/**
 * The command that starts op-batcher. With several URLs it asks each op-node whether its sequencer is
 * active and follows the one that is.
 */
export function batcherCommand(
  opBatcher: string,
  l1Url: string,
  nodes: readonly SequencerNode[],
  key: Hex,
  port: number,
): string[] {
  return [
    ...[opBatcher, '--private-key', key, '--rpc.addr', '127.0.0.1', '--rpc.port', `${port}`],
    ...['--l1-eth-rpc', l1Url, '--data-availability-type', 'calldata', '--num-confirmations', '1'],
    ...['--l2-eth-rpc', nodes.map((node) => node.executionUrl).join(',')],
    ...['--rollup-rpc', nodes.map((node) => node.nodeUrl).join(',')],
    ...['--active-sequencer-check-duration', '2s', '--poll-interval', '1s'],
    ...['--max-channel-duration', '3', '--sub-safety-margin', '4'],
    // Throttling would need the miner API of every execution client.
    ...['--throttle.unsafe-da-bytes-lower-threshold', '0'],
  ];
}
