import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

const root = new URL('../../../../', import.meta.url);
const folder = 'conductor/evidence/simulator/invariants/';

it('docs/INVARIANTS.md names every invariant of the whole cluster', () => {
  const page = readFileSync(new URL('docs/INVARIANTS.md', root), 'utf8');
  const files = readdirSync(new URL(folder, root)).filter(
    (name) => !/\.test\.ts$|^(every-)?invariant\.ts$/.test(name),
  );
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((name) => !page.includes(`\`${folder}${name}\``))).toEqual([]);
});
