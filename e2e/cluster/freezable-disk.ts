import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from './run.js';

const SIZE_MIB = 128;
/** A process that waits for a frozen disk cannot even be killed: it thaws by itself, even if the test dies. */
const FROZEN_AT_MOST_S = 60;

/** A separate file system under a folder; when frozen it finishes no write, like the volume of a broken host. */
export class FreezableDisk {
  private watchdog: ChildProcess | undefined;

  private constructor(
    private readonly mountPoint: string,
    private readonly imageFolder: string,
  ) {}

  /** Why this is impossible on this machine; undefined if it is possible. */
  static lacks(): string | undefined {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'baton-disk-'));
    try {
      const disk = FreezableDisk.mountAt(folder);
      try {
        disk.freeze();
      } finally {
        disk.remove();
      }
      return undefined;
    } catch (error) {
      return `it needs root, loop devices, mkfs.ext4 and fsfreeze: ${(error as Error).message.trim()}`;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** What is in the folder stays in it. Nothing may have it open. */
  static mountAt(folder: string): FreezableDisk {
    const imageFolder = mkdtempSync(path.join(os.tmpdir(), 'baton-disk-image-'));
    const image = path.join(imageFolder, 'image');
    try {
      run('truncate', '-s', `${SIZE_MIB}M`, image);
      run('mkfs.ext4', '-q', '-d', folder, image);
      run('mount', '-o', 'loop', image, folder);
    } catch (error) {
      rmSync(imageFolder, { recursive: true, force: true });
      throw error;
    }
    return new FreezableDisk(folder, imageFolder);
  }

  freeze(): void {
    run('fsfreeze', '-f', this.mountPoint);
    this.watchdog = spawn('sh', ['-c', `sleep ${FROZEN_AT_MOST_S}; fsfreeze -u "$0"`, this.mountPoint], {
      detached: true,
      stdio: 'ignore',
    });
    this.watchdog.unref();
  }

  thaw(): void {
    const { watchdog } = this;
    this.watchdog = undefined;
    // One that has ended has thawed it.
    if (watchdog?.pid === undefined || watchdog.exitCode !== null) return;
    run('fsfreeze', '-u', this.mountPoint);
    process.kill(-watchdog.pid, 'SIGKILL');
  }

  /** What is in the folder stays in it. Nothing may have it open. */
  remove(): void {
    this.thaw();
    const content = path.join(this.imageFolder, 'content');
    cpSync(this.mountPoint, content, { recursive: true });
    run('umount', this.mountPoint);
    rmSync(this.mountPoint, { recursive: true });
    cpSync(content, this.mountPoint, { recursive: true });
    rmSync(this.imageFolder, { recursive: true });
  }
}
