import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DevnetProcess, pickPorts } from '../devnet/devnet-process.js';
import { batonCommand } from './baton-process.js';
import { Host, UNITS, type HostPlace, type Unit } from './host.js';
import { convergedAt } from './published-blocks.js';
import { Shell } from './shell.js';

const PORTS_OF_HOST = 6;

export interface HostsOptions {
  ids: readonly string[];
  /** Whole seconds. */
  blockTimeMs: number;
  /** The program behind the unit `op-conductor`; undefined if there is none. */
  opConductor?: string;
}

/**
 * Machines as an operator has them: on each a simulated op-node with its execution client, and the units of a
 * supervisor, which `systemctl` starts and stops and whose settings are files of variables. Everything is on loopback,
 * in a temporary directory, and dies with this process.
 */
export class Hosts {
  private readonly hosts: Host[] = [];
  private readonly shells = new Map<string | null, Shell>();
  private directory = '';
  private supervisor: Server | undefined;
  private stopping: Promise<void> | undefined;

  get nodes(): readonly Host[] {
    return this.hosts;
  }

  host(id: string): Host {
    const found = this.hosts.find((host) => host.id === id);
    if (!found) throw new Error(`there is no host ${id}`);
    return found;
  }

  /** Makes the machines. Nothing runs on them yet. */
  async prepare({ ids, blockTimeMs, opConductor }: HostsOptions): Promise<void> {
    this.directory = await mkdtemp(path.join(os.tmpdir(), 'baton-hosts-'));
    const ports = await pickPorts(PORTS_OF_HOST * ids.length);
    const genesisTime = Math.floor(Date.now() / 1000);
    const places = ids.map((id, at): HostPlace => {
      const [elPort, nodePort, p2pPort, controlPort, rpcPort, consensusPort] = ports.slice(
        PORTS_OF_HOST * at,
      ) as [number, number, number, number, number, number];
      const directory = path.join(this.directory, id);
      return { id, directory, elPort, nodePort, p2pPort, controlPort, rpcPort, consensusPort };
    });
    const peerUrls = places.map(({ p2pPort }) => `http://127.0.0.1:${p2pPort}`);
    for (const [at, place] of places.entries()) {
      const peers = peerUrls.filter((_, other) => other !== at);
      const host = new Host(place, { blockTimeMs, genesisTime, peers, opConductor });
      await host.prepare();
      this.hosts.push(host);
    }
    await this.startSupervisor();
    await this.addPrograms();
  }

  /** The shell of a machine; with null, of a machine elsewhere that reaches them all. */
  async shell(id: string | null): Promise<Shell> {
    const known = this.shells.get(id);
    if (known) return known;
    const shell = new Shell(id ?? 'the operator', this.environmentOf(id));
    this.shells.set(id, shell);
    await shell.start();
    return shell;
  }

  convergedAt(number: number): Promise<string> {
    return convergedAt(this.hosts, number);
  }

  devnets(): DevnetProcess[] {
    return this.hosts.map(({ devnet }) => devnet);
  }

  /** The highest block of all op-nodes that answer. */
  async height(): Promise<number> {
    const running = this.devnets().filter(({ pid }) => pid !== undefined);
    const heads = await Promise.allSettled(running.map((devnet) => devnet.state()));
    return Math.max(
      -1,
      ...heads.map((head) => (head.status === 'fulfilled' ? head.value.unsafeHead.number : -1)),
    );
  }

  report(): string {
    return this.hosts.map((host) => host.report()).join('\n');
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    await Promise.all([...this.shells.values()].map((shell) => shell.stop()));
    await Promise.all(this.hosts.map((host) => host.kill()));
    this.supervisor?.close();
    if (this.directory !== '') await rm(this.directory, { recursive: true, force: true });
  }

  /** `POST /<host>/<verb>/<unit>`, the request of `systemctl`. */
  private async startSupervisor(): Promise<void> {
    const server = createServer((request, response) => {
      const [, id = '', verb = '', unit = ''] = request.url?.split('/') ?? [];
      this.supervise(id, verb, unit).then(
        () => response.end(),
        (error: Error) => response.writeHead(500).end(error.message),
      );
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    this.supervisor = server;
  }

  private async supervise(id: string, verb: string, name: string): Promise<void> {
    const unit = UNITS.find((each) => each === name);
    if (!unit) throw new Error(`there is no unit ${name}`);
    const host = this.host(id);
    const verbs: Record<string, (unit: Unit) => Promise<void>> = {
      start: (it) => host.start(it),
      stop: (it) => host.stop(it),
      restart: async (it) => {
        await host.stop(it);
        await host.start(it);
      },
    };
    const action = verbs[verb];
    if (!action) throw new Error(`systemctl does not know ${verb}`);
    await action(unit);
  }

  /** Programs on the path of the shells besides the system's. */
  private async addPrograms(): Promise<void> {
    const { port } = this.supervisor?.address() as AddressInfo;
    const scripts = {
      systemctl: `exec curl -sS --fail-with-body -X POST "http://127.0.0.1:${port}/$HOST/$1/$2"`,
      baton: `exec ${batonCommand().join(' ')} "$@"`,
    };
    await mkdir(this.programs);
    for (const [name, script] of Object.entries(scripts)) {
      await writeFile(path.join(this.programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
  }

  private get programs(): string {
    return path.join(this.directory, 'bin');
  }

  private environmentOf(id: string | null): Record<string, string> {
    const all = this.hosts.flatMap((host) =>
      Object.entries(host.addresses).map(([name, value]) => [
        `${host.id.replace('-', '').toUpperCase()}_${name}`,
        value,
      ]),
    );
    return {
      PATH: `${this.programs}:${process.env['PATH']}`,
      ...(Object.fromEntries(all) as Record<string, string>),
      ...(id === null
        ? { BATON_RPC: this.hosts.map((host) => host.addresses.RPC).join(',') }
        : { HOST: id, ...this.host(id).environment }),
    };
  }
}
