import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { request } from 'undici';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { waitFor } from '../cluster/wait-for.js';
import { DevnetProcess } from '../devnet/devnet-process.js';
import type { PodNetwork } from './pod-network.js';
import { findHelm, resolveContainer, type Container, type Manifest } from './rendered-chart.js';

const executable = path.join(repositoryRoot, 'dist/conductor/main.js');

/** Path of helm, and why pods cannot run here; empty if they can. */
export function findChartTools(): { helm: string; lacks: string } {
  const helm = findHelm();
  if (helm === undefined) return { helm: '', lacks: 'no helm: run .ci/helm' };
  return { helm, lacks: existsSync(executable) ? '' : 'nothing is built: npm run build' };
}

/** Values of a release in which only the test moves leadership, not a busy machine. */
export const STEADY_VALUES = ['conductor', 'witness'].map(
  (member) => `${member}.args[0]=--raft.heartbeat-timeout=1s`,
);

/** What the image starts if the chart sets no command. */
const [entrypoint] = JSON.parse(
  /^ENTRYPOINT (.*)$/m.exec(readFileSync(path.join(repositoryRoot, 'Dockerfile'), 'utf8'))![1]!,
) as [string];

/** A pod with a node, or, where `devnet` is undefined, the witness. */
export interface Pod {
  name: string;
  ip: string;
  devnet: DevnetProcess | undefined;
  baton: ChildProcess;
  log: string;
  /** Starts another command in the container, as `kubectl exec` and hooks do. */
  exec(command: readonly string[]): ChildProcess;
}

/** The container of Baton in a StatefulSet. */
export function batonOf({ spec }: Manifest): Container {
  const { template } = spec as { template: { spec: { containers: Container[] } } };
  return template.spec.containers.find(({ name }) => name === 'baton')!;
}

/** The output and exit code of an ended child process. */
export async function ended(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** The pods of a rendered release, as processes on this machine. Empty until `start`. */
export class Pods {
  readonly all: Pod[] = [];
  private container: Container | undefined;
  private directory = '';
  /** A loopback network of this run. */
  private readonly subnet = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;

  /** Starts one process for each pod of the StatefulSets, with a simulated node beside each except the witness. */
  async start(manifests: readonly Manifest[]): Promise<void> {
    this.directory = await mkdtemp(path.join(os.tmpdir(), 'baton-chart-'));
    await mkdir(path.join(this.directory, 'bin'));
    await symlink(executable, path.join(this.directory, 'bin', 'baton'));
    const planned = manifests
      .filter(({ kind }) => kind === 'StatefulSet')
      .flatMap((set) =>
        Array.from({ length: (set.spec as { replicas: number }).replicas }, (_, index) => ({
          name: `${set.metadata.name}-${index}`,
          container: batonOf(set),
        })),
      )
      .map((pod, index) => ({ ...pod, ip: `${this.subnet}.${index + 1}` }));
    this.container = planned[0]!.container;
    const hosts = Object.fromEntries(
      planned.map(({ name, ip }) => [`${name}.baton-headless.rollup.svc.cluster.local`, ip]),
    );
    const genesisTime = Math.floor(Date.now() / 1000);
    const devnets = await Promise.all(
      planned.map(async ({ name, ip, container }) =>
        container.env!.some((one) => one.name === 'OP_CONDUCTOR_NODE_RPC')
          ? DevnetProcess.start({
              name,
              dataDir: path.join(this.directory, `${name}-devnet`),
              conductorRpc: `http://${ip}:${this.port('rpc')}`,
              blockTimeMs: 200,
              genesisTime,
            })
          : undefined,
      ),
    );
    const urls = devnets.flatMap((devnet) => devnet?.p2pUrl ?? []);
    await Promise.all(
      devnets.map(async (devnet) => devnet?.setPeers(urls.filter((url) => url !== devnet.p2pUrl))),
    );
    planned.forEach((pod, index) => this.all.push(this.run(pod, devnets[index], hosts)));
  }

  async stop(): Promise<void> {
    for (const { baton } of this.all) baton.kill('SIGKILL');
    await Promise.all(this.all.map(async ({ devnet }) => devnet?.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The latest log lines of the pods. */
  report(): string {
    return this.all.map(({ name, log }) => `${name}: ${log.slice(-3000)}`).join('\n');
  }

  /** Number of a port of Baton's container. */
  port(name: string): number {
    return this.container!.ports!.find((candidate) => candidate.name === name)!.containerPort;
  }

  /** Result of a method without arguments of the pod's RPC. */
  async ask(pod: Pod, method: string): Promise<unknown> {
    const { body } = await request(`http://${pod.ip}:${this.port('rpc')}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }),
      signal: AbortSignal.timeout(5000),
    });
    return ((await body.json()) as { result: unknown }).result;
  }

  /** The pod that leads and sequences, once there is exactly one. */
  sequencing(): Promise<Pod> {
    return waitFor('one pod to lead and sequence', async () => {
      const running = this.all.filter(({ baton }) => baton.exitCode === null);
      const leads = await Promise.all(running.map((pod) => this.ask(pod, 'conductor_leader')));
      const active = await Promise.all(this.all.map(async ({ devnet }) => devnet?.state()));
      const leader = running.filter((_, index) => leads[index]);
      const [sequencer, second] = this.all.filter((_, index) => active[index]?.active);
      return leader.length === 1 && leader[0] === sequencer && !second ? sequencer : undefined;
    });
  }

  /** The process of the exact command, arguments and environment; only its network and its disk are this machine's. */
  private run(
    { name, ip, container }: { name: string; ip: string; container: Container },
    devnet: DevnetProcess | undefined,
    hosts: Record<string, string>,
  ): Pod {
    const { argv, env } = resolveContainer(container, { 'metadata.name': name }, [entrypoint]);
    const local = (value: string): string => value.replace('/var/lib/baton', path.join(this.directory, name));
    const ports = devnet && {
      9545: Number(new URL(devnet.nodeRpc).port),
      8545: Number(new URL(devnet.executionRpc).port),
    };
    const environment = {
      ...Object.fromEntries(Object.entries(env).map(([key, value]) => [key, local(value)])),
      // In the image, `baton` is in the path.
      PATH: `${path.join(this.directory, 'bin')}:${process.env['PATH']}`,
      NODE_OPTIONS: `--import ${path.join(repositoryRoot, 'e2e/dist/e2e/chart/pod-network.js')}`,
      POD_NETWORK: JSON.stringify({ ip, hosts, ports: ports ?? {} } satisfies PodNetwork),
    };
    const exec = ([command, ...args]: readonly string[]): ChildProcess =>
      spawn(path.basename(command!), args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const pod: Pod = { name, ip, devnet, baton: exec(argv), log: '', exec };
    for (const stream of [pod.baton.stdout, pod.baton.stderr]) {
      stream!.setEncoding('utf8').on('data', (text: string) => (pod.log += text));
    }
    return pod;
  }
}
