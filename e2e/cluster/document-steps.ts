/** A command as a document has it. */
export interface DocumentedCommand {
  /** The machine that the prompt names; null: any machine. */
  host: string | null;
  command: string;
  /** Lines of its output, in this order; `…` stands for any text. */
  expected: readonly string[];
  /** Where it is in the document, from 1. */
  line: number;
}

/** Commands that belong together. */
export interface DocumentedStep {
  commands: readonly DocumentedCommand[];
  /** How many slots in a row may pass without a block meanwhile; undefined if the document does not say. */
  emptySlotsMax: number | undefined;
}

const PROMPT = /^([\w-]*)\$ (.+)$/;
const EMPTY_SLOTS = /^Slots without a block: (?:(none)|at most (\d+))\b/;

/**
 * The steps of one section of a Markdown document, so that a test can carry it out.
 *
 * A fenced block of the language `console` has commands behind a prompt, `$ ` or `machine$ `; a command continues
 * behind `> `; every other line is output. A step ends with a line `Slots without a block: none` or `… at most N`.
 * Commands after the last of these lines in a section are a step without a limit.
 *
 * @param heading of the section, without its `#`s; the section ends with the next heading of its level or above
 * @throws Error where the document breaks these rules
 */
export function stepsUnder(markdown: string, heading: string): DocumentedStep[] {
  const steps: DocumentedStep[] = [];
  let commands: DocumentedCommand[] = [];
  const end = (emptySlotsMax: number | undefined): void => {
    if (commands.length > 0) steps.push({ commands, emptySlotsMax });
    commands = [];
  };
  for (const { text, line, inConsole } of sectionLines(markdown, heading)) {
    if (inConsole) {
      commands.push(...readLine(text, line, commands.at(-1)));
      continue;
    }
    const [slots, none, most] = EMPTY_SLOTS.exec(text) ?? [];
    if (slots === undefined) continue;
    if (commands.length === 0) throw new Error(`line ${line}: no command comes before "${slots}"`);
    end(none === undefined ? Number(most) : 0);
  }
  end(undefined);
  if (steps.length === 0) throw new Error(`there is no command under "${heading}"`);
  return steps;
}

/** Whether these lines are in the output, in this order. */
export function isAsExpected(output: string, expected: readonly string[]): boolean {
  const lines = output.split('\n');
  return expected.every((line) => {
    const at = lines.findIndex((each) => patternOf(line).test(each));
    lines.splice(0, at + 1);
    return at >= 0;
  });
}

/** Adds the line to the previous command if it continues that; otherwise returns the command that it begins. */
function readLine(text: string, line: number, before: DocumentedCommand | undefined): DocumentedCommand[] {
  const [prompt, host, command] = PROMPT.exec(text) ?? [];
  if (prompt !== undefined && command !== undefined)
    return [{ host: host || null, command, expected: [], line }];
  if (!before) throw new Error(`line ${line}: output of no command: ${text}`);
  if (text.startsWith('> ')) before.command += `\n${text.slice(2)}`;
  else if (text.trim() !== '') before.expected = [...before.expected, text];
  return [];
}

interface SectionLine {
  text: string;
  line: number;
  inConsole: boolean;
}

/** Without the fences. Blocks of other languages are left out. */
function sectionLines(markdown: string, heading: string): SectionLine[] {
  const found: SectionLine[] = [];
  let level = 0;
  let fence: { indent: number; isConsole: boolean } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    const [fenceLine, indent = '', language = ''] = /^( *)```(\w*)/.exec(text) ?? [];
    if (fenceLine !== undefined) {
      fence = fence ? undefined : { indent: indent.length, isConsole: language === 'console' };
      continue;
    }
    const [, hashes, title] = fence ? [] : (/^(#+) (.+)$/.exec(text) ?? []);
    if (hashes !== undefined) {
      if (title === heading) level = hashes.length;
      else if (hashes.length <= level) level = 0;
      continue;
    }
    if (level === 0 || fence?.isConsole === false) continue;
    const unindented = fence ? text.slice(fence.indent) : text.trimStart();
    found.push({ text: unindented, line: index + 1, inConsole: fence !== undefined });
  }
  return found;
}

/** Columns may be wider than in the document. */
function patternOf(line: string): RegExp {
  const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ +/g, ' +');
  return new RegExp(line.trim().split('…').map(literal).join('.*'));
}
