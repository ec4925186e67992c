import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = '/sys/fs/cgroup';
/** Where the first version of control groups keeps those of CPU time; the second has one tree for everything. */
const FIRST_VERSION = path.join(ROOT, 'cpu');
const PERIOD_US = 100_000;

/** Limits the CPU time of a process, all its threads together: a control group of either version. */
export class CpuQuota {
  private readonly version: 1 | 2 = existsSync(path.join(FIRST_VERSION, 'cgroup.procs')) ? 1 : 2;
  private readonly tree = this.version === 1 ? FIRST_VERSION : ROOT;
  private readonly group = path.join(this.tree, `baton-${process.pid}`);
  private held: { pid: number; from: string } | undefined;

  /** @param share of one CPU. A process that uses it up early in a tenth of a second stalls for the rest of it */
  constructor(share: number) {
    const quotaUs = Math.round(share * PERIOD_US);
    mkdirSync(this.group);
    try {
      if (this.version === 1) {
        this.write('cpu.cfs_period_us', PERIOD_US);
        this.write('cpu.cfs_quota_us', quotaUs);
      } else {
        writeFileSync(path.join(this.tree, 'cgroup.subtree_control'), '+cpu');
        this.write('cpu.max', `${quotaUs} ${PERIOD_US}`);
      }
    } catch (error) {
      rmdirSync(this.group);
      throw error;
    }
  }

  /** Why this is impossible here; undefined if it is possible. */
  static lacks(): string | undefined {
    try {
      new CpuQuota(1).release();
      return undefined;
    } catch (error) {
      return `it needs root, and control groups of CPU time: ${(error as Error).message}`;
    }
  }

  /** From now on the process has no more than this. */
  hold(pid: number): void {
    const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    const own = this.version === 1 ? /^\d+:(?:.*,)?cpu(?:,.*)?:(.*)$/m : /^0::(.*)$/m;
    const from = path.join(this.tree, own.exec(groups)?.[1] ?? '/');
    this.write('cgroup.procs', pid);
    this.held = { pid, from };
  }

  /** How often the process stalled. */
  get stops(): number {
    const stat = readFileSync(path.join(this.group, 'cpu.stat'), 'utf8');
    return Number(/^nr_throttled (\d+)$/m.exec(stat)?.[1] ?? 0);
  }

  /** Gives the process, if there is one, its former limits back. */
  release(): void {
    const { held } = this;
    if (held && existsSync(`/proc/${held.pid}`)) {
      writeFileSync(path.join(held.from, 'cgroup.procs'), String(held.pid));
    }
    rmdirSync(this.group);
  }

  private write(file: string, value: string | number): void {
    writeFileSync(path.join(this.group, file), String(value));
  }
}
