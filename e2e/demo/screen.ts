import { styleText } from 'node:util';
import type { ClusterNode } from '../cluster/process-cluster.js';
import type { Watcher } from './watcher.js';

type Style = Parameters<typeof styleText>[0];

const hasColours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const WIDTHS = [6, 13, 10, 6, 25, 9, 6];

/** Prints plain text, and colours only on a terminal. */
export class Screen {
  readonly #startedAtMs = performance.now();
  #ticks: NodeJS.Timeout | undefined;

  say(text: string): void {
    console.log(text);
  }

  /** Something happened. */
  tell(text: string): void {
    this.say(`==> ${text}`);
  }

  title(text: string): void {
    console.log(`\n${paint('bold', text)}`);
  }

  /** Prints rows of text in columns. */
  table(rows: readonly (readonly string[])[]): void {
    const width = (column: number): number => Math.max(...rows.map((cells) => cells[column]?.length ?? 0));
    for (const cells of rows) {
      this.say(`  ${cells.map((cell, column) => cell.padEnd(width(column) + 2)).join('')}`.trimEnd());
    }
  }

  /** From now on prints one line per second and node. */
  showNodes(nodes: readonly ClusterNode[], watcher: Watcher): void {
    const show = (): void => nodes.forEach((node) => this.#status(node, watcher));
    this.say(paint('bold', `\n${row(['time', 'node', 'role', 'term', 'unsafe head', 'healthy', 'active'])}`));
    this.#ticks = setInterval(show, 1000);
  }

  stopShowingNodes(): void {
    clearInterval(this.#ticks);
  }

  #status(node: ClusterNode, watcher: Watcher): void {
    const time = `${Math.round((performance.now() - this.#startedAtMs) / 1000)} s`;
    const { conductor, head, active } = watcher.view(node);
    const role = conductor === undefined ? 'down' : conductor.isLeader ? 'leader' : 'follower';
    const block = head === undefined ? '-' : `${String(head.number).padStart(4)}  ${head.hash.slice(0, 14)}`;
    const isActive = head === undefined ? '-' : yesNo(active);
    const term = String(conductor?.term ?? '-');
    const healthy = conductor === undefined ? '-' : yesNo(conductor.healthy);
    const line = row([time, node.id, role, term, block, healthy, isActive]);
    this.say(role === 'follower' ? line : paint(role === 'leader' ? 'green' : 'red', line));
  }
}

export function inMs(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function paint(style: Style, text: string): string {
  return hasColours ? styleText(style, text) : text;
}

function row(cells: string[]): string {
  return cells
    .map((cell, index) => (index === 0 ? `${cell.padStart(5)}  ` : cell.padEnd(WIDTHS[index] as number)))
    .join('')
    .trimEnd();
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
