import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { repositoryRoot } from '../../common/testing/repository-root.js';

const KUBERNETES = '1.34.0';

/** The part of a container's manifest that is used here. */
export interface Container {
  name: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { fieldRef?: { fieldPath: string } } }[];
  ports?: { name: string; containerPort: number }[];
  lifecycle?: { preStop?: { exec?: { command: string[] } } };
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
}

export interface Probe {
  httpGet: { path: string; port: string };
}

export interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
}

/** Path of helm: that of `.ci/helm`, else the system's; undefined if there is none. */
export function findHelm(): string | undefined {
  const folders = [
    path.join(repositoryRoot, '.cache/bin'),
    ...(process.env['PATH'] ?? '').split(path.delimiter),
  ];
  return folders.map((folder) => path.join(folder, 'helm')).find((file) => existsSync(file));
}

/** Renders the chart as `helm template` does. @param values `--set` arguments */
export async function renderChart(helm: string, values: readonly string[] = []): Promise<Manifest[]> {
  const { stdout } = await promisify(execFile)(helm, [
    ...['template', 'baton', path.join(repositoryRoot, 'helm/baton'), '--namespace', 'rollup'],
    ...['--kube-version', KUBERNETES, ...values.flatMap((value) => ['--set', value])],
  ]);
  return parseAllDocuments(stdout).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

/** Command and environment of a container as the kubelet would start it in this pod. */
export function resolveContainer(
  container: Container,
  pod: Record<string, string>,
  entrypoint: readonly string[],
): { argv: string[]; env: Record<string, string> } {
  const env: Record<string, string> = {};
  const expand = (text: string): string =>
    text.replace(/\$\((\w+)\)/g, (all, name: string) => env[name] ?? all);
  for (const { name, value, valueFrom } of container.env ?? []) {
    const field = valueFrom?.fieldRef?.fieldPath;
    const resolved = field === undefined ? expand(value ?? '') : pod[field];
    if (resolved === undefined) throw new Error(`${name} comes from ${field}, which this test does not know`);
    env[name] = resolved;
  }
  const argv = [...(container.command ?? entrypoint), ...(container.args ?? [])].map(expand);
  return { argv, env };
}
