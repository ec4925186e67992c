import { haltText, type Halt } from '../../verdict/halt.js';

/** Since when, by whom and why a cluster is halted, in one line. */
export function haltedSince(halt: Halt): string {
  return `since ${new Date(halt.sinceMs).toISOString()}${haltText(halt)}`;
}
