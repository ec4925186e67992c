import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChildProcess } from '../../../common/testing/child-process.js';
import type { Member } from '../../../raft/index.js';
import { waitFor } from '../../cluster/wait-for.js';
import { pickPorts } from '../../devnet/devnet-process.js';
import type { Order, Report } from './node-process.js';

const SCRIPT = fileURLToPath(new URL('./node-process.ts', import.meta.url));
const SETTLED_WITHIN_MS = 30_000;
const STATUS_WITHIN_MS = 1000;

/** A report that a node leads and has committed an entry of its term. */
export type Ready = Extract<Report, { type: 'ready' }>;

/** Parent of one bare Raft node, which survives its process. */
export class RaftProcess {
  private readonly child: ChildProcess;
  private lastId = 0;
  readonly reports = new EventEmitter<{ ready: [Ready]; transferring: [number]; status: [Report] }>();

  constructor(
    readonly id: string,
    private readonly port: number,
    private readonly directory: string,
    private readonly flags: readonly string[],
  ) {
    this.child = new ChildProcess({ name: id, onLine: (line) => this.take(JSON.parse(line) as Report) });
  }

  async start(): Promise<Member> {
    const { id, port, directory, flags } = this;
    const command = [process.execPath, '--import', 'tsx', SCRIPT, id, String(port), directory, ...flags];
    const started = JSON.parse(await this.child.start(command)) as Extract<Report, { type: 'started' }>;
    return started.member;
  }

  order(order: Order): void {
    this.child.send(JSON.stringify(order));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal);
  }

  async end(): Promise<void> {
    await this.child.kill();
  }

  /** Undefined when it does not answer: it is dead or frozen. */
  async status(): Promise<Extract<Report, { type: 'status' }> | undefined> {
    const id = ++this.lastId;
    const signal = AbortSignal.timeout(STATUS_WITHIN_MS);
    this.order({ type: 'status', id });
    try {
      for (;;) {
        const [report] = (await once(this.reports, 'status', { signal })) as [
          Extract<Report, { type: 'status' }>,
        ];
        if (report.id === id) return report;
      }
    } catch {
      return undefined;
    }
  }

  /** @returns whether it says that the node has started */
  private take(report: Report): boolean {
    if (report.type === 'ready') this.reports.emit('ready', report);
    else if (report.type === 'transferring') this.reports.emit('transferring', report.atMs);
    else if (report.type === 'status') this.reports.emit('status', report);
    return report.type === 'started';
  }
}

/** Three bare Raft nodes on loopback. */
export class RaftCluster {
  private constructor(
    readonly nodes: readonly RaftProcess[],
    private readonly directory: string,
  ) {}

  /** @param flagsOf further flags of each node, by its position */
  static async start(
    size: number,
    flagsOf: (index: number) => readonly string[] = () => [],
  ): Promise<RaftCluster> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'baton-bench-raft-'));
    const ports = await pickPorts(size);
    const nodes = ports.map((port, index) => {
      const id = `node-${index}`;
      return new RaftProcess(id, port, path.join(directory, id), flagsOf(index));
    });
    const cluster = new RaftCluster(nodes, directory);
    const members = await Promise.all(nodes.map((node) => node.start()));
    nodes[0]?.order({ type: 'found', members });
    return cluster;
  }

  /** The leader, as soon as every follower has its whole log, and its term. */
  settled(): Promise<{ leader: RaftProcess; term: number }> {
    return waitFor(
      'a leader with all followers in touch',
      async () => {
        for (const leader of this.nodes) {
          const status = await leader.status();
          if (status?.ready && status.followersInTouch === this.nodes.length - 1)
            return { leader, term: status.term };
        }
        return undefined;
      },
      SETTLED_WITHIN_MS,
    );
  }

  /** The first report of another node that leads a later term. */
  nextReady(leader: RaftProcess, term: number): Promise<Ready> {
    const others = this.nodes.filter((node) => node !== leader);
    return new Promise((resolve) => {
      const listen = (ready: Ready): void => {
        if (ready.term <= term) return;
        for (const node of others) node.reports.off('ready', listen);
        resolve(ready);
      };
      for (const node of others) node.reports.on('ready', listen);
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end()));
    await rm(this.directory, { recursive: true, force: true });
  }
}
