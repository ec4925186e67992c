import { describe, expect, it } from '@jest/globals';
import { importGraph, isForTests, sourceOf } from './import-graph.js';

/** What each room may import. eslint enforces it. */
const rooms = JSON.parse(sourceOf('rooms.json')) as Record<string, string[]>;

/** The production sources; `e2e/` stands above all and may import everything. */
const graph = new Map([...importGraph()].filter(([file]) => !isForTests(file) && !file.startsWith('e2e/')));

const isIn = (room: string, file: string): boolean => file === room || file.startsWith(`${room}/`);
const roomOf = (file: string): string =>
  Object.keys(rooms).find((room) => isIn(room, file)) ?? file.split('/').slice(0, 2).join('/');

/** Arrows between places, as `a --> b`, sorted; `placeOf` gives undefined for files that are not on the drawing. */
function arrows(placeOf: (file: string) => string | undefined): string[] {
  const found = new Set<string>();
  for (const [file, imports] of graph) {
    for (const imported of imports) {
      const [from, to] = [placeOf(file), placeOf(imported)];
      if (from !== undefined && to !== undefined && from !== to) found.add(`${from} --> ${to}`);
    }
  }
  return [...found].sort();
}

/** The drawings of docs/ARCHITECTURE.md, by the folder whose rooms they show, which is the first line of each. */
const drawings = new Map(
  [...sourceOf('docs/ARCHITECTURE.md').matchAll(/```mermaid\nflowchart \w+\n +%% (\S+)\n([\s\S]*?)```/g)].map(
    ([, folder, body]) => [folder!, drawnArrows(body!)],
  ),
);

function drawnArrows(body: string): string[] {
  const drawn = body.split('\n').flatMap((line) => {
    const [left, right] = line.split('-->').map((side) => side.split('&').map((name) => name.trim()));
    return right ? left!.flatMap((from) => right.map((to) => `${from} --> ${to}`)) : [];
  });
  return drawn.sort();
}

/** What is directly in a folder: its rooms by name, and loose files. */
const within =
  (folder: string) =>
  (file: string): string | undefined =>
    isIn(folder, file) ? file.slice(folder.length + 1).split('/')[0] : undefined;

describe('docs/ARCHITECTURE.md', () => {
  it('draws the house: the arrows between the top-level folders are the imports', () => {
    expect(drawings.get('./')).toEqual(arrows((file) => file.split('/')[0]));
  });

  it.each(['raft', 'rpc', 'conductor'])('draws the rooms of %s/: its arrows are the imports', (folder) => {
    expect(drawings.get(`${folder}/`)).toEqual(arrows(within(folder)));
  });
});

describe('rooms.json', () => {
  it('names every room that has sources', () => {
    const outside = [...graph.keys()].filter((file) => roomOf(file) === file && !(file in rooms));
    expect(outside).toEqual([]);
  });

  it('allows exactly what is imported', () => {
    const allowed = Object.entries(rooms).flatMap(([room, others]) =>
      others.map((other) => `${room} --> ${other}`),
    );
    expect(allowed.sort()).toEqual(arrows(roomOf));
  });
});
