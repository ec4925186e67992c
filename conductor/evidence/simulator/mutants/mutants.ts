export interface Patch {
  /** From the root of the repository. */
  file: string;
  find: string;
  replace: string;
}

/** A deliberate bug. A seed or a scenario must find it, or the checks are worth nothing. */
export interface Mutant {
  name: string;
  /** Each replaces a text that occurs once in a file, wherever its lines break. */
  patches: readonly Patch[];
}

const control = 'conductor/control';

export const mutants: readonly Mutant[] = [
  {
    name: 'a commit of unknown outcome is acknowledged',
    patches: [
      {
        file: 'conductor/commit/ensure-done.ts',
        find: "if (outcome.outcome === 'done') return outcome;",
        replace:
          "if (outcome.outcome !== 'rejected') return { result: { type: 'append' }, ...outcome } as never;",
      },
    ],
  },
  {
    name: 'a commit is acknowledged by nodes that do not lead',
    patches: [
      {
        file: 'conductor/commit/ensure-done.ts',
        find: "if (outcome.outcome === 'done') return outcome;",
        replace:
          "if (outcome.reason !== 'stopped') return { result: { type: 'append' }, ...outcome } as never;",
      },
    ],
  },
  {
    name: 'any committed head may be replaced by a sibling',
    patches: [
      {
        file: 'conductor/chain/chain-state.ts',
        find: 'if (number === head.number && head.hash === unanswered)',
        replace: 'if (number === head.number)',
      },
    ],
  },
  {
    name: 'a block above a gap is taken as it is',
    patches: [
      {
        file: 'conductor/commit/payload-committer.ts',
        find: 'const unlinked = await unlinkedGap(this.options.localChain, head, block); if (!unlinked) return;',
        replace:
          'const unlinked = await unlinkedGap(this.options.localChain, head, block); if (unlinked) return; if (!unlinked) return;',
      },
    ],
  },
  {
    name: 'followers leave their sequencers running',
    patches: [
      {
        file: `${control}/decide.ts`,
        find: "if (view.sequencerActive === true) return { type: 'stop', abandon: false, reason: 'not the leader' };",
        replace: '',
      },
    ],
  },
  {
    name: 'a start does not bring the node to the head',
    patches: [
      {
        file: `${control}/start-sequencer.ts`,
        find: "const head = await bringToHead(deps, { ...options, upTo: 'head' });",
        replace: 'const head = await deps.execution.latestBlock(call);',
      },
    ],
  },
  {
    name: 'standbys are fed the head itself',
    patches: [
      { file: `${control}/local-sequencer.ts`, find: "upTo: 'parent-of-head'", replace: "upTo: 'head'" },
    ],
  },
  {
    name: 'a sequencer off the committed chain is left alone',
    patches: [
      {
        file: `${control}/branch-watch.ts`,
        find: 'if (this.contradiction !== undefined) return this.contradiction;',
        replace: 'if (this.epoch >= 0) return undefined;',
      },
    ],
  },
  {
    name: 'one client that left is evidence for a reset',
    patches: [
      {
        file: `${control}/reset-evidence.ts`,
        find: 'const majority = majorityOf(voters.length);',
        replace: 'const majority = Math.min(1, majorityOf(voters.length));',
      },
    ],
  },
];
