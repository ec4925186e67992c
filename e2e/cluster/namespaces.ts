import { rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Machine } from '../devnet/machine.js';
import { run } from './run.js';

/**
 * Machines with their own networks: network namespaces, joined by a router in another one. Packets that the router
 * loses are lost silently, as behind a broken switch: no connection is refused or closed.
 *
 * This process reaches them all, even when the router loses packets between them.
 */
export class Namespaces {
  private static created = 0;
  readonly machines: readonly Machine[];
  private readonly losses: string[][] = [];
  private isFiltering = false;
  /** Ends of cables with limited bandwidth, as `tc` and `ip` name them. */
  private readonly narrowed: { where: string; device: string }[] = [];

  private constructor(
    private readonly prefix: string,
    /** The first three bytes of all addresses. */
    private readonly network: string,
    count: number,
  ) {
    this.machines = Array.from({ length: count }, (_, at) => ({
      host: this.address(at, 2),
      enter: ['ip', 'netns', 'exec', this.name(at)],
    }));
  }

  /**
   * Why this is impossible here; undefined if it is possible.
   *
   * @param filters whether the router must look into packets
   * @param narrows whether lines must be made narrow
   */
  static lacks({ filters = false, narrows = false }: { filters?: boolean; narrows?: boolean } = {}):
    string | undefined {
    try {
      const tried = Namespaces.create(2);
      try {
        tried.lose(0, 1);
        if (filters) tried.loseNewConnections([1]);
        if (narrows) tried.narrow(0, 8);
      } finally {
        tried.remove();
      }
      return undefined;
    } catch (error) {
      const more = `${filters ? ', iptables' : ''}${narrows ? ', tc with htb and u32' : ''}`;
      const tools = `ip with network namespaces${more}`;
      return `it needs root, and ${tools}: ${(error as Error).message.trim()}`;
    }
  }

  static create(count: number): Namespaces {
    const byte = Math.floor(Math.random() * 256);
    // RFC 2544 sets this range aside for tests between networks.
    const name = `bt${process.pid % 100_000}${String.fromCharCode(97 + (Namespaces.created++ % 26))}`;
    const namespaces = new Namespaces(name, `198.18.${byte}`, count);
    try {
      namespaces.build();
      return namespaces;
    } catch (error) {
      namespaces.remove();
      throw error;
    }
  }

  /** From now on, no packet from one machine to the other arrives. */
  lose(from: number, to: number): void {
    const rule = ['from', this.address(from, 2), 'to', this.address(to, 2), 'blackhole'];
    ip('-n', this.router, 'rule', 'add', ...rule);
    this.losses.push(rule);
  }

  /** From one machine to the other, packets of more bytes do not arrive, as behind a wrong MTU. */
  loseLarge(from: number, to: number, bytesMax: number): void {
    const way = ['-s', this.address(from, 2), '-d', this.address(to, 2)];
    this.filter([...way, '-m', 'length', '--length', `${bytesMax + 1}:65535`]);
  }

  /** Connections to these ports are no longer made, as when a connection table is full; open ones live on. */
  loseNewConnections(ports: readonly number[]): void {
    this.filter(['-p', 'tcp', '--syn', '-m', 'multiport', '--dports', ports.join(',')]);
  }

  /**
   * Limits the line between a machine and all others in each direction. Packets that wait for more than a quarter of a
   * second are lost. This process talks to the machine over its own line.
   */
  narrow(machine: number, megabitsPerSecond: number): void {
    const others = [...this.machines.keys()].filter((other) => other !== machine);
    const ends = [
      { where: this.name(machine), device: 'eth0', match: 'dst' },
      { where: this.router, device: cable(machine), match: 'src' },
    ];
    for (const { where, device, match } of ends) {
      const tc = (...args: readonly string[]): void => void run('tc', '-n', where, ...args);
      this.narrowed.push({ where, device });
      tc('qdisc', 'add', 'dev', device, 'root', 'handle', '1:', 'htb');
      const rate = ['rate', `${megabitsPerSecond}mbit`];
      tc('class', 'add', 'dev', device, 'parent', '1:', 'classid', '1:1', 'htb', ...rate);
      const queuedBytes = (megabitsPerSecond * 1_000_000) / 8 / 4;
      tc('qdisc', 'add', 'dev', device, 'parent', '1:1', 'bfifo', 'limit', `${queuedBytes}`);
      for (const other of others) {
        const address = ['match', 'ip', match, this.address(other, 2)];
        tc(
          'filter',
          'add',
          'dev',
          device,
          'parent',
          '1:',
          'protocol',
          'ip',
          'u32',
          ...address,
          'flowid',
          '1:1',
        );
      }
    }
  }

  /** How often packets had to wait at the narrow ends of lines since these became narrow. */
  get waits(): number {
    const shown = this.narrowed.map(({ where, device }) =>
      run('tc', '-n', where, '-s', 'class', 'show', 'dev', device),
    );
    return shown.reduce((sum, text) => sum + Number(/overlimits (\d+)/.exec(text)?.[1] ?? 0), 0);
  }

  /** Ends all TCP connections of a machine with one of these ports at either end. New ones can be made at once. */
  endConnections(machine: number, ports: readonly number[]): void {
    const either = ports.flatMap((port) => [`sport = :${port}`, `dport = :${port}`]).join(' or ');
    ip('netns', 'exec', this.name(machine), 'ss', '-K', '-t', 'state', 'established', `( ${either} )`);
  }

  /** Where this process can be reached from the machines. */
  get here(): string {
    return this.address(this.machines.length, 2);
  }

  /** From now on, processes started in the machines look names up at this address. */
  async resolveAt(nameServer: string): Promise<void> {
    for (const at of this.machines.keys()) {
      await mkdir(this.etc(at), { recursive: true });
      await writeFile(path.join(this.etc(at), 'resolv.conf'), `nameserver ${nameServer}\n`);
    }
  }

  /** No packet reaches or leaves a machine. */
  isolate(machine: number): void {
    for (const other of this.machines.keys()) {
      if (other === machine) continue;
      this.lose(machine, other);
      this.lose(other, machine);
    }
  }

  /** Everything arrives again. */
  heal(): void {
    for (const rule of this.losses.splice(0)) ip('-n', this.router, 'rule', 'del', ...rule);
    if (this.isFiltering) this.iptables('-F', 'FORWARD');
    this.isFiltering = false;
    for (const { where, device } of this.narrowed.splice(0)) {
      run('tc', '-n', where, 'qdisc', 'del', 'dev', device, 'root');
    }
  }

  /** No process may still run in them. */
  remove(): void {
    for (const name of [this.router, ...[...this.machines.keys()].map((at) => this.name(at))]) {
      try {
        ip('netns', 'del', name);
      } catch {
        // It was never made.
      }
    }
    for (const at of this.machines.keys()) rmSync(this.etc(at), { recursive: true, force: true });
  }

  private filter(rule: readonly string[]): void {
    this.iptables('-A', 'FORWARD', ...rule, '-j', 'DROP');
    this.isFiltering = true;
  }

  private iptables(...args: readonly string[]): void {
    ip('netns', 'exec', this.router, 'iptables', ...args);
  }

  /** Replaces files in /etc for processes that run in the machine. */
  private etc(at: number): string {
    return path.join('/etc/netns', this.name(at));
  }

  private get router(): string {
    return `${this.prefix}r`;
  }

  private name(at: number): string {
    return `${this.prefix}m${at}`;
  }

  /** @param end 1: the router's, 2: the machine's */
  private address(at: number, end: 1 | 2): string {
    return `${this.network}.${4 * at + end}`;
  }

  private build(): void {
    ip('netns', 'add', this.router);
    ip('-n', this.router, 'link', 'set', 'lo', 'up');
    ip('netns', 'exec', this.router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    for (const at of this.machines.keys()) {
      const name = this.name(at);
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
      this.wire(at, ['-n', name], 'eth0', ['netns', name]);
      ip('-n', name, 'route', 'add', 'default', 'via', this.address(at, 1));
    }
    const here = this.machines.length;
    this.wire(here, [], `${this.prefix}h`, []);
    ip('route', 'add', `${this.network}.0/24`, 'via', this.address(here, 1));
  }

  /** A cable from the router to somewhere. */
  private wire(at: number, there: readonly string[], device: string, into: readonly string[]): void {
    const own = cable(at);
    ip('link', 'add', own, 'netns', this.router, 'type', 'veth', 'peer', 'name', device, ...into);
    ip('-n', this.router, 'addr', 'add', `${this.address(at, 1)}/30`, 'dev', own);
    ip('-n', this.router, 'link', 'set', own, 'up');
    ip(...there, 'addr', 'add', `${this.address(at, 2)}/30`, 'dev', device);
    ip(...there, 'link', 'set', device, 'up');
  }
}

/** The router's name for its end of a cable. */
const cable = (at: number): string => `m${at}`;

const ip = (...args: readonly string[]): void => void run('ip', ...args);
