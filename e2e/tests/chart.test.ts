import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, mkdir, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import {
  findHelm,
  renderChart,
  resolveContainer,
  type Container,
  type Manifest,
} from '../chart/rendered-chart.js';
import type { PodNetwork } from '../chart/pod-network.js';
import { waitFor } from '../cluster/wait-for.js';
import { DevnetProcess } from '../devnet/devnet-process.js';

const helm = findHelm();
const executable = path.join(repositoryRoot, 'dist/conductor/main.js');
const lacks =
  helm === undefined
    ? 'no helm: run .ci/helm'
    : existsSync(executable)
      ? ''
      : 'nothing is built: npm run build';
if (lacks !== '') console.warn(`chart.test.ts skips: ${lacks}`);

/** What the image starts without a command of the chart's. */
const [entrypoint] = JSON.parse(
  /^ENTRYPOINT (.*)$/m.exec(readFileSync(path.join(repositoryRoot, 'Dockerfile'), 'utf8'))![1]!,
) as [string];

/** A loopback network of this run. */
const subnet = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;

interface Pod {
  name: string;
  ip: string;
  devnet: DevnetProcess;
  baton: ChildProcess;
  log: string;
  /** Starts another command in the container, as `kubectl exec` and hooks do. */
  exec(command: readonly string[]): ChildProcess;
}

(lacks === '' ? describe : describe.skip)('the chart, rendered', () => {
  let manifests: Manifest[];
  let container: Container;
  let directory: string;
  const pods: Pod[] = [];

  const port = (name: string): number =>
    container.ports!.find((candidate) => candidate.name === name)!.containerPort;

  /** The process of the exact command, arguments and environment; only its network and its disk are this machine's. */
  const start = (name: string, ip: string, devnet: DevnetProcess, hosts: Record<string, string>): Pod => {
    const { argv, env } = resolveContainer(container, { 'metadata.name': name }, [entrypoint]);
    const local = (value: string): string => value.replace('/var/lib/baton', path.join(directory, name));
    const ports = {
      9545: Number(new URL(devnet.nodeRpc).port),
      8545: Number(new URL(devnet.executionRpc).port),
    };
    const environment = {
      ...Object.fromEntries(Object.entries(env).map(([key, value]) => [key, local(value)])),
      // In the image, `baton` is in the path.
      PATH: `${path.join(directory, 'bin')}:${process.env['PATH']}`,
      NODE_OPTIONS: `--import ${path.join(repositoryRoot, 'e2e/dist/e2e/chart/pod-network.js')}`,
      POD_NETWORK: JSON.stringify({ ip, hosts, ports } satisfies PodNetwork),
    };
    const exec = ([command, ...args]: readonly string[]): ChildProcess =>
      spawn(path.basename(command!), args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const pod: Pod = { name, ip, devnet, baton: exec(argv), log: '', exec };
    for (const stream of [pod.baton.stdout, pod.baton.stderr]) {
      stream!.setEncoding('utf8').on('data', (text: string) => (pod.log += text));
    }
    return pod;
  };

  const ask = async (pod: Pod, method: string): Promise<unknown> => {
    const { body } = await request(`http://${pod.ip}:${port('rpc')}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }),
      signal: AbortSignal.timeout(5000),
    });
    return ((await body.json()) as { result: unknown }).result;
  };

  const ended = async (child: ChildProcess): Promise<{ code: number | null; output: string }> => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  };

  const sequencing = (): Promise<Pod> =>
    waitFor('one pod to lead and sequence', async () => {
      const running = pods.filter(({ baton }) => baton.exitCode === null);
      const leads = await Promise.all(running.map((pod) => ask(pod, 'conductor_leader')));
      const active = await Promise.all(pods.map(({ devnet }) => devnet.state()));
      const leader = running.filter((_, index) => leads[index]);
      const [sequencer, second] = pods.filter((_, index) => active[index]!.active);
      return leader.length === 1 && leader[0] === sequencer && !second ? sequencer : undefined;
    });

  beforeAll(async () => {
    manifests = await renderChart(helm!);
    const { template } = manifests.find(({ kind }) => kind === 'StatefulSet')!.spec as {
      template: { spec: { containers: Container[] } };
    };
    container = template.spec.containers.find(({ name }) => name === 'baton')!;
    directory = await mkdtemp(path.join(os.tmpdir(), 'baton-chart-'));
    await mkdir(path.join(directory, 'bin'));
    await symlink(executable, path.join(directory, 'bin', 'baton'));

    const names = ['baton-0', 'baton-1', 'baton-2'];
    const ips = names.map((_, index) => `${subnet}.${index + 1}`);
    const hosts = Object.fromEntries(
      names.map((name, index) => [`${name}.baton-headless.rollup.svc.cluster.local`, ips[index]!]),
    );
    const genesisTime = Math.floor(Date.now() / 1000);
    const devnets = await Promise.all(
      names.map((name, index) =>
        DevnetProcess.start({
          name,
          dataDir: path.join(directory, `${name}-devnet`),
          conductorRpc: `http://${ips[index]}:${port('rpc')}`,
          blockTimeMs: 200,
          genesisTime,
        }),
      ),
    );
    const urls = devnets.map(({ p2pUrl }) => p2pUrl);
    await Promise.all(devnets.map((devnet) => devnet.setPeers(urls.filter((url) => url !== devnet.p2pUrl))));
    names.forEach((name, index) => pods.push(start(name, ips[index]!, devnets[index]!, hosts)));
  });

  afterAll(async () => {
    for (const { baton } of pods) baton.kill('SIGKILL');
    await Promise.all(pods.map(({ devnet }) => devnet.kill()));
    await rm(directory, { recursive: true, force: true });
  });

  it('three pods form their cluster, and one of them sequences', async () => {
    await sequencing().catch((error: Error) => {
      throw new Error(
        `${error.message}\n${pods.map(({ name, log }) => `${name}: ${log.slice(-3000)}`).join('\n')}`,
      );
    });
    for (const pod of pods) {
      expect(await ask(pod, 'conductor_clusterMembership')).toMatchObject({
        servers: ['baton-0', 'baton-1', 'baton-2'].map((name) => ({
          id: name,
          addr: `${name}.baton-headless.rollup.svc.cluster.local:${port('consensus')}`,
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
      // Ready is who is well, too: that takes a health check.
      await waitFor(`200 of ${file}`, async () => {
        const { statusCode, body } = await request(`http://${pods[0]!.ip}:${port(name)}${file}`);
        const text = await body.text();
        if (statusCode !== 200) throw new Error(text);
        return true;
      });
    }
    const { body } = await request(`http://${pods[0]!.ip}:${port('metrics')}/metrics`);
    expect(await body.text()).toContain('op_conductor_up 1');
  });

  it('kubectl exec … baton status works in any pod', async () => {
    await waitFor('a healthy cluster', async () => {
      const { code } = await ended(pods[1]!.exec(['baton', 'status']));
      return code === 0;
    });
  });

  it('the pre-stop hook moves sequencing away from the leader, and from nobody else', async () => {
    const { command } = container.lifecycle!.preStop!.exec!;
    const leader = await sequencing();
    const follower = pods.find((pod) => pod !== leader)!;
    expect(await ended(follower.exec(command))).toMatchObject({ code: 0 });
    expect(await sequencing()).toBe(leader);
    expect(await ended(leader.exec(command))).toMatchObject({ code: 0 });
    expect(await sequencing()).not.toBe(leader);
    const gone = once(leader.baton, 'close');
    leader.baton.kill('SIGTERM');
    expect((await gone)[0]).toBe(0);
    await sequencing();
  });

  it('alerts and panels name metrics that there are', async () => {
    const rules = await renderChart(helm!, ['prometheusRule.enabled=true']);
    const rule = JSON.stringify(rules.find(({ kind }) => kind === 'PrometheusRule'));
    const used = [...new Set(rule.match(/op_conductor_\w+/g))];
    const { body } = await request(
      `http://${pods.find(({ baton }) => baton.exitCode === null)!.ip}:${port('metrics')}`,
    );
    const page = await body.text();
    expect(used.length).toBeGreaterThan(4);
    expect(used.filter((name) => !page.includes(`# TYPE ${name} `))).toEqual([]);
  });

  it('only the pods of the release reach the consensus port', () => {
    const { spec } = manifests.find(({ kind }) => kind === 'NetworkPolicy')!;
    const { ingress, policyTypes } = spec as {
      policyTypes: string[];
      ingress: { from?: object[]; ports: { port: number }[] }[];
    };
    expect(policyTypes).toEqual(['Ingress']);
    const letsIn = ingress.filter(({ ports }) => ports.some((one) => one.port === port('consensus')));
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
    const rendered = await renderChart(helm!, ['conductor.flashblocksUrl=ws://builder:1111/ws']);
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
    await expect(renderChart(helm!, [values])).rejects.toThrow(ours);
  });
});
