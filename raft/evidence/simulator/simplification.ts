export type Draft<Options> = { -readonly [Key in keyof Options]: Options[Key] };

/** Removes something from a draft of the options. */
export type Simplification<Options> = (options: Draft<Options>) => void;

/** One for each fault or request of a table of weights, which sets its weight to zero. */
export const zeroWeights = <Options, Weights extends object>(
  prefix: string,
  of: (options: Draft<Options>) => Weights,
  names: readonly (keyof Weights & string)[],
): Record<string, Simplification<Options>> =>
  Object.fromEntries(
    names.map((name) => [
      `${prefix}${name}`,
      (options: Draft<Options>) => void ((of(options) as Record<string, number>)[name] = 0),
    ]),
  );

/** The options without what is named. @throws Error for an unknown name */
export function simplifiedBy<Options>(
  simplifications: Readonly<Record<string, Simplification<Options>>>,
  options: Options,
  without: readonly string[],
): Options {
  const draft = structuredClone(options) as Draft<Options>;
  for (const name of without) {
    const simplify = simplifications[name];
    if (!simplify)
      throw new Error(`there is no ${name}; there are ${Object.keys(simplifications).join(', ')}`);
    simplify(draft);
  }
  return draft;
}
