import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BatonProcess } from '../cluster/baton-process.js';
import { FreezableDisk } from '../cluster/freezable-disk.js';
import { Namespaces } from '../cluster/namespaces.js';
import type { ClusterNode, ClusterOptions } from '../cluster/process-cluster.js';
import { runBaton } from '../cluster/run-baton.js';
import { ScriptedNode } from '../cluster/scripted-node.js';
import { waitFor } from '../cluster/wait-for.js';
import { pickPorts } from '../devnet/devnet-process.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

interface Finding {
  check: string;
  level: string;
  code: string | null;
  text: string;
}

interface Examination {
  code: number;
  findings: Finding[];
  /** Codes of checks that are not ok. */
  wrong: string[];
}

async function doctor(...flags: string[]): Promise<Examination> {
  const { code, stdout, stderr } = await runBaton(['doctor', '--json', ...flags]);
  expect(stderr).toBe('');
  const { schemaVersion, findings } = JSON.parse(stdout) as { schemaVersion: number; findings: Finding[] };
  expect(schemaVersion).toBe(1);
  const wrong = findings.flatMap(({ code }) => (code === null ? [] : [code]));
  return { code, findings, wrong };
}

/** Findings that a busy machine causes. */
const BUSY = ['tight-timing', 'slow-disk'];

const levelsOf = ({ findings }: Examination): string[] =>
  findings.flatMap(({ level, check, code }) =>
    code === null || BUSY.includes(code) ? [] : [`${level} ${check} ${code}`],
  );

describe('doctor before a run', () => {
  let folder: string;
  let node: ScriptedNode;
  let other: BatonProcess;
  let ports: [own: number, ownRpc: number, other: number, otherRpc: number];
  let peers: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'baton-doctor-'));
    node = await ScriptedNode.start();
    ports = (await pickPorts(4)) as typeof ports;
    peers = `a@127.0.0.1:${ports[0]},b@127.0.0.1:${ports[2]}`;
    other = new BatonProcess({
      ...{ id: 'b', storageDir: path.join(folder, 'b') },
      ...{ consensusPort: ports[2], rpcPort: ports[3] },
      ...{ nodeRpc: node.url, executionRpc: node.url },
      flags: ['--raft.peers', peers],
    });
    await other.start();
  });
  afterAll(async () => {
    await other?.dispose();
    node?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Flags of the member to run; later ones win. */
  const flags = (...more: string[]): string[] => [
    ...['--raft.server.id', 'a', '--raft.storage.dir', path.join(folder, 'a')],
    ...['--consensus.addr', '127.0.0.1', '--consensus.port', String(ports[0])],
    ...['--rpc.addr', '127.0.0.1', '--rpc.port', String(ports[1]), '--raft.peers', peers],
    ...['--node.rpc', node.url, '--execution.rpc', node.url],
    // The scripted node built its block in 1970.
    ...['--healthcheck.interval', '1', '--healthcheck.unsafe-interval', '9999999999'],
    ...['--healthcheck.min-peer-count', '1', ...more],
  ];

  it('finds nothing wrong in a good setup, and leaves nothing behind', async () => {
    const examined = await doctor(...flags());
    expect(levelsOf(examined)).toEqual([]);
    if (examined.wrong.length === 0) expect(examined.code).toBe(0);
    expect(examined.findings.find(({ check }) => check === 'peers')?.text).toBe('all answer: b');
    expect(existsSync(path.join(folder, 'a'))).toBe(false);
    expect(await readdir(folder)).toEqual(['b']);
  });

  it('finds all planted faults at once', async () => {
    const taken = createServer().listen(ports[1], '127.0.0.1');
    await once(taken, 'listening');
    node.script.set(ScriptedNode.key('eth_chainId', []), '"result":"0x1"');
    node.script.set(ScriptedNode.key('admin_conductorEnabled', []), '"result":false');
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    try {
      const more = ['--raft.peers', `${peers},c@127.0.0.1:${port}`, '--raft.retention-mb', '999999999'];
      const examined = await doctor(...flags(...more));
      expect(examined.code).toBe(2);
      expect(levelsOf(examined)).toEqual([
        'failure ports port-in-use',
        'failure disk-space disk-full',
        // Its list has another member.
        'failure peers other-list',
        'failure peers peer-silent',
        'failure op-node conductor-off',
        'failure chain-id other-chain',
      ]);
    } finally {
      node.script.clear();
      taken.close();
      silent.close();
      silent.unref();
    }
  });

  it('recognises a directory in use, and a member that is already running', async () => {
    const own = [
      '--raft.storage.dir',
      path.join(folder, 'b'),
      '--raft.server.id',
      'b',
      '--raft.peers',
      peers,
    ];
    const elsewhere = await doctor(
      ...flags(...own, '--consensus.port', '0', '--raft.peers', `b@127.0.0.1:${ports[2]}`),
    );
    expect(levelsOf(elsewhere)).toEqual(['failure directory directory-in-use']);
    const asItRuns = ['--consensus.port', String(ports[2]), '--rpc.port', String(ports[3])];
    const running = await doctor(...flags(...own, ...asItRuns));
    expect(levelsOf(running)).toEqual(['warning ports already-runs', 'warning peers peer-down']);
  });

  it('finishes without answers from op-node, execution client and a member', async () => {
    node.isSilent = true;
    try {
      const examined = await doctor(...flags());
      expect(levelsOf(examined)).toEqual([
        'failure op-node op-node-silent',
        'failure execution-client execution-silent',
      ]);
    } finally {
      node.isSilent = false;
    }
  });
});

const lacksDisk = FreezableDisk.lacks();
if (lacksDisk !== undefined) console.warn(`doctor.test.ts skips a disk that hangs: ${lacksDisk}`);

(lacksDisk === undefined ? describe : describe.skip)('doctor of a disk that hangs', () => {
  it('is done, and says so', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'baton-doctor-'));
    const store = path.join(folder, 'store');
    await mkdir(store);
    const disk = FreezableDisk.mountAt(store);
    try {
      disk.freeze();
      const begunMs = performance.now();
      const examined = await doctor(
        ...['--witness', '--raft.server.id', 'w', '--raft.storage.dir', store],
        ...['--consensus.addr', '127.0.0.1', '--consensus.port', '0', '--rpc.port', '0'],
        // The whole volume is smaller than the default retention.
        ...['--raft.retention-mb', '1'],
      );
      expect(levelsOf(examined)).toEqual(['failure directory disk-silent']);
      expect(performance.now() - begunMs).toBeLessThan(30_000);
      disk.thaw();
      // The disk check stayed behind, and removes its file as soon as it can.
      await waitFor('the file to go away', async () => {
        const [found] = (await readdir(store)).filter((name) => name.startsWith('.baton-doctor'));
        if (found !== undefined) throw new Error(found);
        return true;
      });
    } finally {
      disk.thaw();
      await waitFor('nobody to have it open', () => (disk.remove(), true));
      await rm(folder, { recursive: true, force: true });
    }
  });
});

const ofCluster = (...nodes: ClusterNode[]): Promise<Examination> =>
  doctor('--rpc', nodes.map(({ baton }) => baton.rpcUrl).join(','));

describeCluster('doctor of a cluster', STEADY, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));

  scenario('finds nothing wrong in a good cluster, and has asked all members', async () => {
    const leader = await cluster.activeLeader();
    const examined = await ofCluster(leader);
    expect(levelsOf(examined)).toEqual([]);
    const seen = (check: string): string | undefined =>
      examined.findings.find((finding) => finding.check === check)?.text;
    expect(seen('peers')).toBe('the 3 members that answer reach each other both ways');
    expect(seen('clocks')).toMatch(/^largest difference: /);
    expect(seen('disk-space')).toMatch(/MiB free$/);
    expect(seen('chain-id')).toBe('901');
  });

  scenario('finds a member that is down', async () => {
    const leader = await cluster.activeLeader();
    const [victim] = cluster.others(leader) as [ClusterNode];
    await victim.baton.kill();
    const examined = await ofCluster(leader);
    expect(examined.code).toBe(1);
    expect(levelsOf(examined)).toEqual(['warning verdict no-failure-tolerance', 'warning verdict no-answer']);
    await victim.baton.start();
    await expectHealthy(cluster);
  });
});

const lacksFilter = Namespaces.lacks({ filters: true });
if (lacksFilter !== undefined) console.warn(`doctor.test.ts skips a one-way firewall: ${lacksFilter}`);
const describeHere = lacksFilter === undefined ? describeCluster : describeCluster.skip;
let network: Namespaces;

const onNetwork = (): Partial<ClusterOptions> => {
  network = Namespaces.create(3);
  return { ...STEADY, machines: network.machines };
};

describeHere('doctor where a firewall is open in one direction only', onNetwork, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));
  // The cluster, which lives in it, has been stopped before.
  afterAll(() => network?.remove());

  scenario('names the direction', async () => {
    const leader = await cluster.activeLeader();
    const [follower, other] = cluster.others(leader) as [ClusterNode, ClusterNode];
    network.loseNewConnections([follower.baton.options.consensusPort]);
    const { code, findings } = await ofCluster(leader, follower);
    const paths = findings.filter((finding) => finding.code === 'one-way').map(({ text }) => text);
    expect(code).toBe(2);
    expect(paths.map((text) => text.replace(/:.*/, '')).sort()).toEqual(
      [leader, other].map(({ id }) => `${id} does not reach ${follower.id}`).sort(),
    );
    network.heal();
  });
});
