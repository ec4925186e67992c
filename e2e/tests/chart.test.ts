import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { batonOf, ended, findChartTools, Pods, STEADY_VALUES } from '../chart/pods.js';
import { renderChart, type Container, type Manifest } from '../chart/rendered-chart.js';
import { waitFor } from '../cluster/wait-for.js';

const { helm, lacks } = findChartTools();
if (lacks !== '') console.warn(`chart.test.ts skips: ${lacks}`);
const describeChart = lacks === '' ? describe : describe.skip;

describeChart('the chart, rendered', () => {
  let manifests: Manifest[];
  let container: Container;
  const pods = new Pods();

  beforeAll(async () => {
    manifests = await renderChart(helm, STEADY_VALUES);
    container = batonOf(manifests.find(({ kind }) => kind === 'StatefulSet')!);
    await pods.start(manifests);
  });

  afterAll(() => pods.stop());

  it('three pods form their cluster, and one of them sequences', async () => {
    await pods.sequencing().catch((error: Error) => {
      throw new Error(`${error.message}\n${pods.report()}`);
    });
    for (const pod of pods.all) {
      expect(await pods.ask(pod, 'conductor_clusterMembership')).toMatchObject({
        servers: ['baton-0', 'baton-1', 'baton-2'].map((name) => ({
          id: name,
          addr: `${name}.baton-headless.rollup.svc.cluster.local:${pods.port('consensus')}`,
          suffrage: 0,
        })),
      });
      expect(pod.log).not.toContain('Unknown env var');
    }
  });

  it('the probes and the scraped port answer', async () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      const { path: file, port: name } = probe!.httpGet;
      // Ready also means healthy, which takes a health check.
      await waitFor(`200 of ${file}`, async () => {
        const { statusCode, body } = await request(`http://${pods.all[0]!.ip}:${pods.port(name)}${file}`);
        const text = await body.text();
        if (statusCode !== 200) throw new Error(text);
        return true;
      });
    }
    const { body } = await request(`http://${pods.all[0]!.ip}:${pods.port('metrics')}/metrics`);
    expect(await body.text()).toContain('op_conductor_up 1');
  });

  it('kubectl exec … baton status works in any pod', async () => {
    await waitFor('a healthy cluster', async () => {
      const { code } = await ended(pods.all[1]!.exec(['baton', 'status']));
      return code === 0;
    });
  });

  it('the pre-stop hook moves sequencing away from the leader only', async () => {
    const { command } = container.lifecycle!.preStop!.exec!;
    const leader = await pods.sequencing();
    const follower = pods.all.find((pod) => pod !== leader)!;
    expect(await ended(follower.exec(command))).toMatchObject({ code: 0 });
    expect(await pods.sequencing()).toBe(leader);
    expect(await ended(leader.exec(command))).toMatchObject({ code: 0 });
    expect(await pods.sequencing()).not.toBe(leader);
    const gone = once(leader.baton, 'close');
    leader.baton.kill('SIGTERM');
    expect((await gone)[0]).toBe(0);
    await pods.sequencing();
  });

  it('alerts and panels name existing metrics', async () => {
    const rules = await renderChart(helm, ['prometheusRule.enabled=true']);
    const rule = JSON.stringify(rules.find(({ kind }) => kind === 'PrometheusRule'));
    const used = [...new Set(rule.match(/op_conductor_\w+/g))];
    const { body } = await request(
      `http://${pods.all.find(({ baton }) => baton.exitCode === null)!.ip}:${pods.port('metrics')}`,
    );
    const page = await body.text();
    expect(used.length).toBeGreaterThan(4);
    expect(used.filter((name) => !page.includes(`# TYPE ${name} `))).toEqual([]);
  });

  it('only pods of the release reach the consensus port', () => {
    const { spec } = manifests.find(({ kind }) => kind === 'NetworkPolicy')!;
    const { ingress, policyTypes } = spec as {
      policyTypes: string[];
      ingress: { from?: object[]; ports: { port: number }[] }[];
    };
    expect(policyTypes).toEqual(['Ingress']);
    const letsIn = ingress.filter(({ ports }) => ports.some((one) => one.port === pods.port('consensus')));
    expect(letsIn.map(({ from }) => from)).toEqual([
      [
        {
          podSelector: {
            matchLabels: { 'app.kubernetes.io/name': 'baton', 'app.kubernetes.io/instance': 'baton' },
          },
        },
      ],
    ]);
  });

  it('flashblocks are offered by each pod by name, and not by a service that picks any', async () => {
    const rendered = await renderChart(helm, ['conductor.flashblocksUrl=ws://builder:1111/ws']);
    const offering = rendered
      .filter(({ kind }) => kind === 'Service')
      .flatMap(({ metadata, spec }) => {
        const { ports, clusterIP } = spec as { ports: { name: string }[]; clusterIP?: string };
        return ports.some(({ name }) => name === 'websocket') ? [`${metadata.name} ${clusterIP}`] : [];
      });
    expect(offering).toEqual(['baton-headless None']);
  });

  it.each([
    'replicaCuont=5',
    'conductor.helthcheck.interval=3',
    'conductor.env[0].name=A,conductor.env[0].vlaue=b',
    'networkPolicy.rpcFrom[0].podSelecter.a=b',
    'conductor.args[0]=paused',
    'conductor.ports.rpc=8545',
    'terminationGracePeriodSeconds=10',
  ])('refuses %s', async (values) => {
    const ours = /values don't meet the specifications|execution error at/;
    await expect(renderChart(helm, [values])).rejects.toThrow(ours);
  });
});
