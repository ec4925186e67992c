import type { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { NodeId } from '../core/configuration.js';
import type { CoreStatus } from '../core/raft-core.js';
import type { Outcome, RaftNodeEvents } from './node-options.js';

/** The node that transferred leadership, or tried to. */
export interface TransferringNode {
  nodeId: NodeId;
  events: Pick<EventEmitter<RaftNodeEvents>, 'on' | 'off'>;
  isRunning(): boolean;
  status(): Pick<CoreStatus, 'role' | 'leader' | 'term' | 'lastIndex'>;
  /** `done` once a quorum confirms that this node is still the leader. */
  confirmLeadership(): Promise<Outcome<object>>;
}

/**
 * Finds out who leads after a transfer with an unknown outcome. `done`: another node leads. Still `unknown` if this node
 * leads, or if no leader is known within this time.
 */
export async function findTransferOutcome(
  node: TransferringNode,
  unknown: Extract<Outcome<object>, { outcome: 'unknown' }>,
  withinMs: number,
): Promise<Outcome<object>> {
  const endMs = performance.now() + withinMs;
  while (node.isRunning() && performance.now() < endMs) {
    const { role, leader, term, lastIndex } = node.status();
    if (leader !== null && leader !== node.nodeId) return { outcome: 'done', index: lastIndex, term };
    if (role !== 'leader') {
      await nextRole(node, endMs - performance.now());
      continue;
    }
    // Either a quorum confirms that nobody was elected before it answered, or this node learns who was.
    const confirmed = await node.confirmLeadership();
    if (confirmed.outcome === 'done') {
      return { ...unknown, reason: `${unknown.reason}: this node is still the leader` };
    }
  }
  return unknown;
}

function nextRole({ events }: TransferringNode, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      events.off('role', done);
      resolve();
    };
    const timer = setTimeout(done, withinMs);
    events.on('role', done);
  });
}
