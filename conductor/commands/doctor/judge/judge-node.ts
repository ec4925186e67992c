import type { Asked, MachineFacts, NodeFacts } from '../facts.js';
import { failure, ok, warning, type CheckName, type Finding } from './finding.js';

/** The two are asked one after the other, and the chain moves meanwhile. */
const APART_MAX = 2;

/** Timestamps are whole seconds. */
const AHEAD_MAX_SECONDS = 2;

type Facts = Pick<MachineFacts, 'limits' | 'rpcPort'>;

/** Whether op-node and the execution client are there, belong together, and do what Baton needs. */
export function judgeNode(node: NodeFacts | null, facts: Facts): Finding[] {
  if (!node) return [ok('op-node', 'a witness has no node to check')];
  return [...opNodeOf(node, facts), ...executionOf(node), ...chainsOf(node), ...headsOf(node, facts)];
}

function opNodeOf({ opNode, nodeUrl }: NodeFacts, { limits, rpcPort }: Facts): Finding[] {
  const { head, sequencerActive, conductorEnabled, peers } = opNode;
  if ('error' in head) return [failure('op-node', 'op-node-silent', head.error)];
  const found: Finding[] = [ok('op-node', `answers at ${nodeUrl}`)];
  if ('error' in sequencerActive) {
    const { error, isMethodMissing } = sequencerActive;
    // Without the admin API, nothing is known about the conductor either.
    found.push(failure('op-node', isMethodMissing ? 'admin-api-off' : 'op-node-silent', error));
  } else {
    found.push(conductorOf(conductorEnabled, rpcPort), sequencerOf(sequencerActive.value));
  }
  if ('error' in peers) found.push(warning('op-node', 'op-node-silent', peers.error));
  else if (peers.value < limits.minPeerCount) {
    const text = `op-node has ${peers.value} peers; --healthcheck.min-peer-count is ${limits.minPeerCount}`;
    found.push(warning('op-node', 'few-peers', text));
  }
  return found;
}

/** op-node does not report which conductor it asks. */
function conductorOf(enabled: Asked<boolean>, rpcPort: number): Finding {
  if ('error' in enabled) return failure('op-node', 'op-node-silent', enabled.error);
  if (!enabled.value) return failure('op-node', 'conductor-off', 'op-node does not ask a conductor');
  return ok('op-node', `asks a conductor; its --conductor.rpc must point to port ${rpcPort} of this machine`);
}

function sequencerOf(isActive: boolean): Finding {
  return isActive
    ? warning('sequencer', 'sequencer-runs', 'the sequencer of this op-node is active')
    : ok('sequencer', 'stopped: Baton starts it when this member leads');
}

function executionOf({ execution, executionUrl }: NodeFacts): Finding[] {
  const { head } = execution;
  return [
    'error' in head
      ? failure('execution-client', 'execution-silent', head.error)
      : ok('execution-client', `answers at ${executionUrl}`),
  ];
}

function chainsOf({ opNode, execution }: NodeFacts): Finding[] {
  const [a, b] = [opNode.chainId, execution.chainId];
  if ('error' in a) return 'error' in opNode.head ? [] : [unknown('chain-id', 'op-node-silent', a)];
  if ('error' in b) return 'error' in execution.head ? [] : [unknown('chain-id', 'execution-silent', b)];
  return [
    a.value === b.value
      ? ok('chain-id', String(a.value))
      : failure(
          'chain-id',
          'other-chain',
          `op-node is on chain ${a.value}, the execution client on ${b.value}`,
        ),
  ];
}

const unknown = (
  check: CheckName,
  code: 'op-node-silent' | 'execution-silent',
  { error }: { error: string },
): Finding => warning(check, code, `not known: ${error}`);

function headsOf({ opNode, execution, askedAtMs }: NodeFacts, { limits }: Facts): Finding[] {
  if ('error' in opNode.head || 'error' in execution.head) return [];
  const { number, hash, timestamp } = opNode.head.value;
  const other = execution.head.value;
  const { atNodeHead } = execution;
  const heads = `op-node is at block ${number}, the execution client at ${other.number}`;
  const block = atNodeHead && 'value' in atNodeHead ? atNodeHead.value : null;
  if (block && hash !== undefined && block.hash !== hash) {
    const text = `op-node has ${hash} as block ${number}, the execution client ${block.hash}`;
    return [failure('heads', 'heads-differ', text)];
  }
  if (Math.abs(other.number - number) > APART_MAX) return [warning('heads', 'heads-apart', heads)];
  const ageSeconds = Math.round(askedAtMs / 1000 - timestamp);
  if (ageSeconds > limits.unsafeIntervalSeconds) {
    const text = `block ${number} of op-node is ${ageSeconds} s old; --healthcheck.unsafe-interval is ${limits.unsafeIntervalSeconds} s`;
    return [warning('heads', 'old-head', text)];
  }
  if (ageSeconds < -AHEAD_MAX_SECONDS) {
    const text = `block ${number} of op-node is dated ${-ageSeconds} s in the future: the clock of this machine is behind`;
    return [warning('clocks', 'clocks-differ', text)];
  }
  return [ok('heads', heads)];
}
