import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { batonOf, ended, findChartTools, Pods, STEADY_VALUES, type Pod } from '../chart/pods.js';
import { renderChart, type Manifest } from '../chart/rendered-chart.js';
import { waitFor } from '../cluster/wait-for.js';

const { helm, lacks } = findChartTools();
if (lacks !== '') console.warn(`chart-witness.test.ts skips: ${lacks}`);
const describeChart = lacks === '' ? describe : describe.skip;

/** A witness refuses flashblocks, so they must not reach it. */
const VALUES = [
  ...STEADY_VALUES,
  'replicaCount=2',
  'witness.enabled=true',
  'conductor.flashblocksUrl=ws://builder.invalid:1/ws',
];
const NAMES = ['baton-0', 'baton-1', 'baton-witness-0'];

interface Selector {
  matchLabels: Record<string, string>;
}

describeChart('the chart, rendered with two sequencers and a witness', () => {
  let manifests: Manifest[];
  const pods = new Pods();

  const manifest = (kind: string, name: string): Manifest =>
    manifests.find((one) => one.kind === kind && one.metadata.name === name)!;
  const witness = (): Pod => pods.all.find(({ name }) => name === 'baton-witness-0')!;
  const readiness = async (pod: Pod): Promise<number> => {
    const { statusCode, body } = await request(`http://${pod.ip}:${pods.port('rpc')}/readyz`);
    await body.dump();
    return statusCode;
  };

  beforeAll(async () => {
    manifests = await renderChart(helm, VALUES);
    await pods.start(manifests);
  });

  afterAll(() => pods.stop());

  it('three pods form their cluster, the witness among them, and a pod with a node sequences', async () => {
    const leader = await pods.sequencing().catch((error: Error) => {
      throw new Error(`${error.message}\n${pods.report()}`);
    });
    expect(leader).not.toBe(witness());
    for (const pod of pods.all) {
      expect(await pods.ask(pod, 'conductor_clusterMembership')).toMatchObject({
        servers: NAMES.map((name) => ({
          id: name,
          addr: `${name}.baton-headless.rollup.svc.cluster.local:${pods.port('consensus')}`,
          suffrage: 0,
        })),
      });
      expect(pod.log).not.toContain('Unknown env var');
    }
  });

  it('the witness becomes ready, and says that it is a witness', async () => {
    await waitFor('200 of /readyz', async () => (await readiness(witness())) === 200);
    const { output } = await waitFor('a healthy cluster', async () => {
      const run = await ended(witness().exec(['baton', 'status']));
      return run.code === 0 && run;
    });
    expect(output).toMatch(/^baton-witness-0 +witness +healthy /m);
  });

  it('one sequencer is enough beside the witness', async () => {
    const leader = await pods.sequencing();
    const { command } = batonOf(manifest('StatefulSet', 'baton')).lifecycle!.preStop!.exec!;
    expect(await ended(leader.exec(command))).toMatchObject({ code: 0 });
    const gone = once(leader.baton, 'close');
    leader.baton.kill('SIGTERM');
    expect((await gone)[0]).toBe(0);
    const next = await pods.sequencing();
    expect([leader, witness()]).not.toContain(next);
  });

  it('policy, budget and names of the release cover the witness', () => {
    const { template } = manifest('StatefulSet', 'baton-witness').spec as {
      template: { metadata: { labels: Record<string, string> } };
    };
    const budget = manifest('PodDisruptionBudget', 'baton').spec;
    expect(budget).toMatchObject({ maxUnavailable: 1 });
    const selectors = [
      (budget['selector'] as Selector).matchLabels,
      (manifest('NetworkPolicy', 'baton').spec['podSelector'] as Selector).matchLabels,
      manifest('Service', 'baton-headless').spec['selector'] as Selector['matchLabels'],
    ];
    for (const selector of selectors) expect(template.metadata.labels).toMatchObject(selector);
  });

  it('an update does not restart the witness beside a sequencer', () => {
    expect(manifest('StatefulSet', 'baton-witness').spec).toMatchObject({
      replicas: 1,
      updateStrategy: { type: 'OnDelete' },
    });
  });

  it('alerts count the witness', async () => {
    const rendered = await renderChart(helm, [...VALUES, 'prometheusRule.enabled=true']);
    const { spec } = rendered.find(({ kind }) => kind === 'PrometheusRule')!;
    const { groups } = spec as { groups: { rules: { alert: string; expr: string }[] }[] };
    const { expr } = groups[0]!.rules.find(({ alert }) => alert === 'BatonMemberDown')!;
    const [, pattern, size] = /pod=~"([^"]+)".* < (\d+)$/.exec(expr)!;
    const matching = [...NAMES, 'other-baton-0'].filter((name) => new RegExp(`^(${pattern})$`).test(name));
    expect({ matching, size }).toEqual({ matching: NAMES, size: '3' });
  });

  it.each([
    'witness.enabeld=true',
    'witness.args[0]=paused',
    'witness.persistence.size=5',
    'witness.enabled=2',
  ])('refuses %s', async (values) => {
    await expect(renderChart(helm, [values])).rejects.toThrow(/values don't meet the specifications/);
  });
});
