import type { FlagName, FlagValues } from './flag-table.js';

/** Something that must not be true of the values. */
export interface Rule {
  flags: readonly [FlagName, ...FlagName[]];
  violated: (values: FlagValues) => boolean;
  /** op-conductor's text where it has one (op-conductor.md §1.4, §5.1), since scripts look for it. */
  text: string | ((values: FlagValues) => string);
  remedy: string;
}
