import type { HealthReport, HealthCode } from '../../health/health-report.js';

/**
 * The `error` label of failed health checks, with op-conductor's texts. Where it inserts the answer of the execution
 * client, this is one fixed text, so that the label is bounded.
 */
const TEXTS: Readonly<Record<HealthCode, string>> = {
  'node-unreachable': 'cannot connect to sequencer rpc endpoints',
  'other-branch': 'sequencer is not healthy',
  'conductor-disabled': 'sequencer is not healthy',
  'commits-refused': 'sequencer is not healthy',
  'unsafe-head-old': 'sequencer is not healthy',
  'safe-head-old': 'sequencer is not healthy',
  'too-few-peers': 'sequencer is not healthy',
  'execution-unreachable': 'cannot connect to execution p2p rpc endpoint',
  'too-few-execution-peers': 'sequencer is not healthy',
  'rollup-boost-unreachable': 'cannot connect to rollup boost rpc endpoints',
  'rollup-boost-partial':
    'rollup boost is partially healthy, meaning that rbuilder is not healthy but the execution client is healthy',
  'rollup-boost-unhealthy': 'rollup boost is not healthy',
};

/** Empty for a report without a reason to be unhealthy. */
export function healthErrorText({ healthy, reasons }: HealthReport): string {
  const [first] = reasons;
  return healthy || !first ? '' : TEXTS[first.code];
}
