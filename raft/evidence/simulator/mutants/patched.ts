/** A deliberate change of a source. */
export interface Patch {
  file: string;
  /** Occurs once in the file, wherever its lines break. */
  find: string;
  replace: string;
}

/** @throws Error when a text to replace does not occur exactly once: the mutant is out of date */
export function patched(source: string, patches: readonly Patch[]): string {
  let result = source;
  for (const { file, find, replace } of patches) {
    const text = anyFormatOf(find);
    if (result.match(text)?.length !== 1) throw new Error(`${file} does not contain exactly once: ${find}`);
    result = result.replace(text, () => replace);
  }
  return result;
}

/** The text wherever its lines break. */
const anyFormatOf = (text: string): RegExp =>
  new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+'), 'g');
