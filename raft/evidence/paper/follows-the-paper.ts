import type { NodeId } from '../../core/configuration.js';
import type { CoreContext } from '../../core/context.js';
import type { Input } from '../../core/inputs.js';
import type { Output } from '../../core/outputs.js';
import { candidacies, leaders, spokenVotes, terms, votes } from './elections.js';
import { acknowledgements, commits, logChanges, replication } from './logs.js';
import { Memory } from './memory.js';
import { membership, reads, transfers } from './requests.js';
import type { Rule } from './rule.js';
import { look, type Disk, type Transition } from './server.js';

const RULES: readonly Rule[] = [
  terms,
  votes,
  spokenVotes,
  candidacies,
  leaders,
  logChanges,
  commits,
  acknowledgements,
  replication,
  membership,
  reads,
  transfers,
];

/** A machine, and the core that runs on it, if any. */
interface Machine {
  readonly id: NodeId;
  readonly disk: Disk;
  readonly process: { readonly ctx: CoreContext } | null;
}

/** Watches, and throws a Violation at a step that the paper does not allow. */
interface Observer {
  /** A process has begun, and nothing has happened in it yet. */
  started(node: Machine): void;
  /** One step of one core is done, and its outputs are not yet carried out. */
  stepped: (
    this: void,
    step: { node: Machine; ctx: CoreContext; input: Input; outputs: readonly Output[] },
  ) => void;
}

/**
 * Compares every step of every core with a second implementation of the paper, which is slow but can be compared with
 * figure 2 line by line. The paper has no held answers, no terms of pre-votes and no proofs of death.
 * docs/DIVERGENCE.md says what Baton adds, and the rules here say what those additions may do.
 */
export function followsThePaper(): Observer {
  const memories = new Map<NodeId, Memory>();
  return {
    started(node) {
      if (!node.process) return;
      const { ctx } = node.process;
      memories.set(node.id, new Memory(look(node.id, ctx), ctx.timing.electionTimeoutMs));
    },
    stepped({ node, ctx, input, outputs }) {
      const memory = memories.get(node.id);
      if (!memory) return;
      const step: Transition = {
        before: memory.server,
        after: look(node.id, ctx),
        input,
        outputs,
        sent: outputs.flatMap((output) => (output.type === 'send' ? [output] : [])),
        disk: node.disk,
        electionTimeoutMs: ctx.timing.electionTimeoutMs,
      };
      memory.hear(step);
      for (const rule of RULES) rule(step, memory);
      memory.keep(step);
    },
  };
}
