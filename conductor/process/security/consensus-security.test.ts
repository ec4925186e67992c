import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { CertificateTexts } from '../../../raft/index.js';
import { TestAuthority, type CertificateChoice } from '../../../raft/transport/testing/certificates.js';
import { Families } from '../../metrics/families.js';
import { SecurityMetrics } from '../../metrics/security-metrics.js';
import { ConsensusSecurity } from './consensus-security.js';
import type { SecuredConfig } from './credential-files.js';

const DAY_MS = 86_400_000;
const SECRET = 'a'.repeat(32);

type Line = Record<string, unknown> & { level: number; msg: string };

/** A security whose files and clock the test holds. */
class Lab {
  readonly registry = new Registry();
  readonly lines: Line[] = [];
  nowMs = Date.now();
  readonly security: ConsensusSecurity;
  private readonly ending = new AbortController();
  private nextRead: (() => void) | undefined;
  private isAsleep: (() => void) | undefined;

  constructor(config: SecuredConfig) {
    this.security = new ConsensusSecurity({
      config,
      serverId: 'a',
      metrics: new SecurityMetrics(new Families(this.registry)),
      logger: pino({ base: null }, { write: (text) => void this.lines.push(JSON.parse(text) as Line) }),
      sleep: (_ms, signal) =>
        new Promise((resolve, reject) => {
          this.nextRead = resolve;
          this.isAsleep?.();
          signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
        }),
      now: () => this.nowMs,
    });
  }

  async start(): Promise<void> {
    await this.security.load();
    const asleep = this.untilAsleep();
    void this.security.watch(this.ending.signal);
    await asleep;
  }

  /** Makes it look at the files once more, and waits until it has. */
  async read(): Promise<void> {
    const asleep = this.untilAsleep();
    this.nextRead!();
    await asleep;
  }

  /** Messages since the last call. */
  said(): string[] {
    return this.lines.splice(0).map(({ level, msg }) => `${pino.levels.labels[level]}: ${msg}`);
  }

  async metric(name: string): Promise<Record<string, number>> {
    const metric = await this.registry.getSingleMetric(`op_conductor_consensus_${name}`)!.get();
    return Object.fromEntries(
      metric.values.map(({ labels, value }) => [Object.values(labels).join(' '), value]),
    );
  }

  end(): void {
    this.ending.abort();
  }

  private untilAsleep(): Promise<void> {
    return new Promise((resolve) => (this.isAsleep = resolve));
  }
}

let directory: string;
let authority: TestAuthority;
const labs: Lab[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'baton-credentials-'));
  authority = await TestAuthority.make({ untilDays: 365 });
});
afterEach(async () => {
  for (const lab of labs.splice(0)) lab.end();
  await rm(directory, { recursive: true, force: true });
});

const file = (name: string): string => path.join(directory, name);

function lab(config: SecuredConfig): Lab {
  const made = new Lab(config);
  labs.push(made);
  return made;
}

const certificateLab = (): Lab =>
  lab({
    kind: 'certificate',
    certPath: file('tls.crt'),
    keyPath: file('tls.key'),
    caPath: file('ca.crt'),
    acceptsPlain: false,
  });

const secretLab = (acceptsPlain = false): Lab =>
  lab({ kind: 'secret', secretPath: file('secret'), acceptsPlain });

const issue = (choice?: CertificateChoice): Promise<CertificateTexts> =>
  authority.issue({ uris: ['baton:a'], untilDays: 90, ...choice });

/** Changes files the way the volume of a Kubernetes secret changes: they are links through a link that is replaced. */
async function mount({ cert, key, ca }: CertificateTexts, version: string): Promise<void> {
  await mkdir(file(version));
  await Promise.all([
    writeFile(path.join(file(version), 'tls.crt'), cert),
    writeFile(path.join(file(version), 'tls.key'), key, { mode: 0o600 }),
    writeFile(path.join(file(version), 'ca.crt'), ca),
  ]);
  await symlink(version, file('..data_tmp'));
  await rename(file('..data_tmp'), file('..data'));
  for (const name of ['tls.crt', 'tls.key', 'ca.crt']) {
    await symlink(path.join('..data', name), file(name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

describe('certificates', () => {
  it('are reloaded after the directory behind the links was swapped', async () => {
    await mount(await issue(), '..1');
    const t = certificateLab();
    await t.start();
    const before = t.security.credentials();
    await t.read();
    expect(t.security.credentials()).toBe(before);
    expect(t.said()).toEqual([]);
    await mount(await issue({ untilDays: 120 }), '..2');
    await t.read();
    expect(t.security.credentials()).toMatchObject({ kind: 'certificate' });
    expect(t.security.credentials()).not.toBe(before);
    expect(t.said()).toEqual(['info: credentials of the consensus port changed: the new ones are in use']);
    const { own } = await t.metric('certificate_expiry_timestamp_seconds');
    expect(Math.round((own! * 1000 - Date.now()) / DAY_MS)).toBe(120);
  });

  it('that cannot be used leave the old ones in use, which is logged once and shown', async () => {
    const good = await issue();
    await mount(good, '..1');
    const t = certificateLab();
    await t.start();
    const before = t.security.credentials();
    await mount({ ...(await issue()), key: good.key }, '..2');
    await t.read();
    // The files may just have been in the middle of a swap.
    expect(t.said()).toEqual([]);
    for (let turn = 0; turn < 3; turn++) await t.read();
    expect(t.lines).toMatchObject([
      { code: 'key-mismatch', remedy: expect.stringContaining('one issuance') },
    ]);
    expect(t.said()).toEqual([
      'error: new credentials of the consensus port cannot be used: the old ones stay in use',
    ]);
    expect(t.security.credentials()).toBe(before);
    expect(await t.metric('credentials_stale')).toEqual({ '': 1 });
    await mount(await issue(), '..3');
    await t.read();
    expect(t.security.credentials()).not.toBe(before);
    expect(await t.metric('credentials_stale')).toEqual({ '': 0 });
  });

  it.each([
    ['id-not-named', () => issue({ uris: ['baton:b'] })],
    ['wrong-ca', async () => ({ ...(await issue()), ca: (await TestAuthority.make()).pem })],
  ])('that cannot be used at the start make it fail with %s', async (code, texts) => {
    await mount(await texts(), '..1');
    await expect(certificateLab().security.load()).rejects.toMatchObject({ code });
  });

  it('are warned about 14 days and one day before they expire, when they do, and then each hour', async () => {
    await mount(await issue({ untilDays: 90 }), '..1');
    const t = certificateLab();
    await t.start();
    const endMs = t.nowMs + 90 * DAY_MS;
    const at = async (beforeEndMs: number): Promise<string[]> => {
      t.nowMs = endMs - beforeEndMs;
      await t.read();
      await t.read();
      return t.said();
    };
    expect(await at(15 * DAY_MS)).toEqual([]);
    expect(await at(13 * DAY_MS)).toEqual(['warn: certificate of the consensus port expires within 14 days']);
    expect(await at(2 * DAY_MS)).toEqual([]);
    expect(await at(DAY_MS / 2)).toEqual(['error: certificate of the consensus port expires within a day']);
    const over = 'error: certificate of the consensus port has expired: peers refuse new connections';
    expect(await at(-1000)).toEqual([over]);
    expect(await at(-DAY_MS / 48)).toEqual([]);
    expect(await at(-DAY_MS / 2)).toEqual([over]);
  });

  it('of a CA that expires sooner are warned about as well', async () => {
    authority = await TestAuthority.make({ untilDays: 10 });
    await mount(await issue(), '..1');
    const t = certificateLab();
    await t.start();
    expect(t.lines).toMatchObject([{ certificate: 'ca', code: 'certificate-expired' }]);
  });
});

describe('a secret', () => {
  it('is reloaded when the file changes', async () => {
    await writeFile(file('secret'), SECRET, { mode: 0o600 });
    const t = secretLab();
    await t.start();
    await writeFile(file('secret'), `${SECRET}\n${'b'.repeat(32)}`);
    await t.read();
    expect(t.security.credentials()).toMatchObject({ kind: 'secret', keys: { length: 2 } });
    expect(t.lines).toMatchObject([{ secrets: 2 }]);
    expect(JSON.stringify(t.lines)).not.toContain('bbbb');
  });

  it.each([
    ['0600', []],
    ['0440', []],
    ['0644', ['warn: users of this machine can read or change a secret file']],
    ['0620', ['warn: users of this machine can read or change a secret file']],
  ])('in a file of mode %s', async (mode, said) => {
    await writeFile(file('secret'), SECRET);
    await chmod(file('secret'), parseInt(mode, 8));
    const t = secretLab();
    await t.security.load();
    expect(t.said()).toEqual(said);
  });

  it('that is missing makes the start fail', async () => {
    await expect(secretLab().security.load()).rejects.toMatchObject({ code: 'unreadable-credential-file' });
  });

  it('is not in force while plain connections are accepted too, which is logged and shown', async () => {
    await writeFile(file('secret'), SECRET, { mode: 0o600 });
    const t = secretLab(true);
    await t.start();
    expect(t.lines).toMatchObject([{ code: 'plain-accepted', level: 40 }]);
    expect(await t.metric('accepts_plain')).toEqual({ '': 1 });
    t.security.onPlain('listener');
    t.security.onRefused({ side: 'dialler', code: 'wrong-secret', address: 'b:1' });
    expect(await t.metric('plain_connections_total')).toEqual({ listener: 1 });
    expect(await t.metric('connections_refused_total')).toEqual({ 'dialler wrong-secret': 1 });
    expect(await t.metric('security')).toEqual({ secret: 1 });
  });
});
