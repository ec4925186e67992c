import type { NodeId } from '../../core/types.js';
import type { Invariant } from '../simulator/invariants/invariant.js';
import { candidacies, leaders, spokenVotes, terms, votes } from './elections.js';
import { acknowledgements, commits, logChanges, replication } from './logs.js';
import { Memory } from './memory.js';
import { membership, reads, transfers } from './requests.js';
import type { Rule } from './rule.js';
import { look, type Transition } from './server.js';

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

/**
 * Holds every step of every core against the paper's description of it, written down a second time: slowly, and so
 * that it can be compared with figure 2 line by line. The paper knows neither held answers nor terms of pre-votes nor
 * proofs of death: docs/DIVERGENCE.md says what is added, and the rules here say what that may do.
 */
export function followsThePaper(): Invariant {
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
