import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { MetricsUnderTest } from './testing/metrics-under-test.js';

let t: MetricsUnderTest;

beforeEach(() => {
  t = new MetricsUnderTest();
});

describe('docs/METRICS.md', () => {
  const rows = new Map(
    [
      ...readFileSync(path.join(repositoryRoot, 'docs/METRICS.md'), 'utf8').matchAll(
        /^\| `([\w*]+)`\s*\| (\w+)\s*\| ([^|]*)\|/gm,
      ),
    ].map(([, name, type, labels]) => [
      name!,
      { type: type!, labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, l]) => l!) },
    ]),
  );
  const documented = (name: string): { type: string; labels: string[] } | undefined =>
    rows.get(name) ?? rows.get(`${name.split('_', 1)[0]}_*`);

  it('describes every metric of the code, with its type and labels', async () => {
    t.exercise();
    const all = await t.metrics.registry.getMetricsAsJSON();
    for (const { name, type } of all) {
      const row = documented(name);
      if (!row) throw new Error(`${name} is not documented`);
      if (!rows.has(name)) continue;
      const metric = t.metrics.registry.getSingleMetric(name);
      // prom-client keeps the names, but does not declare them.
      const labels = metric && 'labelNames' in metric ? metric.labelNames : undefined;
      expect({ name, ...row }).toEqual({ name, type: String(type), labels });
    }
    expect(all.length).toBeGreaterThan(40);
  });

  it('does not describe metrics that the code lacks', () => {
    const sources = ['conductor', 'rpc']
      .flatMap((folder) =>
        readdirSync(path.join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
          .map((file) => readFileSync(path.join(repositoryRoot, folder, file), 'utf8')),
      )
      .join('\n')
      .replaceAll('${prefix}', 'op_conductor_rpc_server');
    const unknown = [...rows.keys()].filter((name) => !name.endsWith('*') && !sources.includes(name));
    expect(unknown).toEqual([]);
  });
});
