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

const committer = 'conductor/commit/payload-committer.ts';
const control = 'conductor/control';

export const mutants: readonly Mutant[] = [
  {
    name: 'a commit of unknown outcome is acknowledged',
    patches: [
      {
        file: committer,
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
        file: committer,
        find: "if (outcome.outcome === 'done') return outcome;",
        replace:
          "if (outcome.reason !== 'stopped') return { result: { type: 'append' }, ...outcome } as never;",
      },
    ],
  },
  {
    name: 'another block of the height of the head is a duplicate',
    patches: [
      {
        file: 'conductor/chain/chain-state.ts',
        find: 'if (head?.hash === block.hash) return',
        replace: 'if (head?.number === block.number) return',
      },
    ],
  },
  {
    name: 'followers leave their sequencers running',
    patches: [
      {
        file: `${control}/decide.ts`,
        find: "if (view.sequencerActive === true) return { type: 'stop', reason: 'not the leader' };",
        replace: '',
      },
    ],
  },
  {
    name: 'a start does not wait for the barrier',
    patches: [
      {
        file: `${control}/start-sequencer.ts`,
        find: 'const barrier = await deps.readBarrier();',
        replace: "const barrier = { outcome: 'done' } as { outcome: 'done' | 'rejected'; reason: string };",
      },
    ],
  },
  {
    name: 'a start does not bring the node to the head',
    patches: [
      {
        file: `${control}/start-sequencer.ts`,
        find: 'const head = await bringToHead(deps, options);',
        replace: 'const head = await deps.execution.latestBlock(call);',
      },
    ],
  },
  {
    name: 'a failed start is not counted',
    patches: [
      {
        file: `${control}/start-trouble.ts`,
        find: 'this.failures += tookItsTime(error) ? FAILURES : 1;',
        replace: '',
      },
    ],
  },
  {
    name: 'a leader starts although it is not ready',
    patches: [
      {
        file: `${control}/controller.ts`,
        find: "status.ready ? 'leader' : 'elect'",
        replace: "'leader'",
      },
    ],
  },
];
