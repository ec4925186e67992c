import { bySeeds, inScenario, inTest, mutant, type Mutant } from './mutant.js';

const ENSURE = 'conductor/commit/ensure-done.ts';
const COMMITTER = 'conductor/commit/payload-committer.ts';
const CHAIN = 'conductor/chain/chain-state.ts';
const MACHINE = 'conductor/chain/chain-state-machine.ts';

/** Mutants of what may be published, and of the chain that the log describes. */
export const commitMutants: readonly Mutant[] = [
  mutant(
    'a commit of unknown outcome is acknowledged',
    bySeeds,
    ENSURE,
    "if (outcome.outcome === 'done') return outcome;",
    "if (outcome.outcome !== 'rejected') return { result: { type: 'append' }, ...outcome } as never;",
  ),
  mutant(
    'a commit is acknowledged by nodes that do not lead',
    bySeeds,
    ENSURE,
    "if (outcome.outcome === 'done') return outcome;",
    "if (outcome.reason !== 'stopped') return { result: { type: 'append' }, ...outcome } as never;",
  ),
  mutant(
    'any committed head may be replaced by a sibling',
    inScenario('a client that lost its newest block under an active sequencer'),
    CHAIN,
    'if (number === head.number && head.hash === unanswered)',
    'if (number === head.number)',
  ),
  mutant(
    'a block whose proposer has its answer may still be replaced',
    inScenario('a client that lost its newest block under an active sequencer'),
    COMMITTER,
    'if (proposers.some(({ gone }) => !gone?.aborted)) this.unanswered.forget(hash);',
    'if (proposers.some(({ gone }) => !gone?.aborted)) void hash;',
  ),
  mutant(
    'a block above a gap is taken as it is',
    inScenario('a stranger commits a block far above'),
    COMMITTER,
    'if (!unlinked) return;',
    'if (unlinked?.reason !== block.hash) return;',
  ),
  mutant(
    'a gap is closed by the parent alone',
    inTest('conductor/commit/payload-committer.replacement.test.ts'),
    'conductor/commit/gap-check.ts',
    'if (atHead?.hash === head.hash && parent?.hash === block.parentHash) return undefined;',
    'if (parent?.hash === block.parentHash) return undefined;',
  ),
  mutant(
    'a block that the log refused is acknowledged',
    inTest('conductor/commit/payload-committer.test.ts'),
    COMMITTER,
    "if (result.type === 'refused') throw this.refusal(payload.ref, result.reason);",
    '',
  ),
  mutant(
    'blocks are judged while others are on their way into the log',
    inTest('conductor/commit/payload-committer.test.ts'),
    'conductor/commit/turns.ts',
    'const result = this.tail.then(work);',
    'const result = work();',
  ),
  mutant(
    'a leader judges before it knows the log',
    inTest('conductor/commit/payload-committer.test.ts'),
    COMMITTER,
    'if (!log.isReadyLeader) ensureDone(await log.readBarrier(), PREFIX);',
    '',
  ),
  mutant(
    'a deposed leader says that a block is committed already',
    inTest('conductor/commit/payload-committer.test.ts'),
    COMMITTER,
    'ensureDone(await log.readBarrier(), PREFIX); if (chain.hashAt(ref.number) === ref.hash) return;',
    'return;',
  ),
  mutant(
    'what an earlier term left unanswered may be replaced',
    inTest('conductor/commit/payload-committer.replacement.test.ts'),
    'conductor/commit/unanswered-blocks.ts',
    'return term === this.term && this.hashes.has(hash);',
    'return this.hashes.has(hash);',
  ),
  mutant(
    'a second block of a height is applied',
    inTest('conductor/chain/chain-state.test.ts'),
    CHAIN,
    'if (head && block.number <= head.number) return refused();',
    '',
  ),
  mutant(
    'a block of another parent is applied',
    inTest('conductor/chain/chain-state.test.ts'),
    CHAIN,
    'if (head && block.number === head.number + 1 && block.parentHash !== head.hash) return refused();',
    '',
  ),
  mutant(
    'a replacement is applied whatever the head is',
    inTest('conductor/chain/chain-state.test.ts'),
    CHAIN,
    'if (head?.hash !== replacesHead || block.number > head.number) return refused();',
    '',
  ),
  mutant(
    'a reset is applied whatever the head is',
    inTest('conductor/chain/chain-state.reset.test.ts'),
    CHAIN,
    'if (head?.hash !== from.hash || to.number >= head.number) {',
    'if (!head || to.number >= head.number) {',
  ),
  mutant(
    'a reset may go to any block',
    inTest('conductor/commit/head-resetter.test.ts'),
    'conductor/commit/head-resetter.ts',
    'requireAncestor(reset, chain);',
    '',
  ),
  mutant(
    'a snapshot of another node does not become the chain',
    inScenario('a node that was away for longer than the log remembers'),
    MACHINE,
    'this.live.startFrom(head); this.records.startFrom(records);',
    'this.records.startFrom(records);',
  ),
  mutant(
    'a snapshot holds an entry too few',
    inTest('conductor/chain/chain-state-machine.test.ts'),
    MACHINE,
    'for (const command of this.sinceBase.splice(0, until)) {',
    'for (const command of this.sinceBase.splice(0, until).slice(0, -1)) {',
  ),
  mutant(
    'a record is as old as its node thinks',
    bySeeds,
    'conductor/chain/cluster-records.ts',
    '{ id, logIndex, sinceMs: atMs, who }',
    '{ id, logIndex, sinceMs: Math.max(atMs, Date.now()), who }',
  ),
  mutant(
    'a snapshot brings no records',
    inTest('conductor/chain/chain-state-machine.records.test.ts'),
    MACHINE,
    'this.live.startFrom(head); this.records.startFrom(records);',
    'this.live.startFrom(head);',
  ),
];
