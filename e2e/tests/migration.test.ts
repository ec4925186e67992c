import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { carryOut } from '../cluster/carry-out.js';
import { stepsUnder } from '../cluster/document-steps.js';
import type { Host, Unit } from '../cluster/host.js';
import { Hosts } from '../cluster/hosts.js';
import { lostOrReplaced } from '../cluster/published-blocks.js';
import { SlotWatch } from '../cluster/slot-watch.js';
import { waitFor } from '../cluster/wait-for.js';
import { rpc } from '../devnet/test-network.js';
import { describeProcesses, type Scenario } from './describe-cluster.js';

/** The slots that the guide mentions. */
const SLOT_MS = 2000;
const IDS = ['seq-0', 'seq-1', 'seq-2'];
const guide = readFileSync(path.join(repositoryRoot, 'docs/MIGRATION.md'), 'utf8');

/** Where `make test-real` builds it. */
const OP_CONDUCTOR = path.join(repositoryRoot, '.cache/real/bin/op-conductor');

/** Carries out one procedure of the guide, and measures the slots without a block at each step. */
function followGuide(hosts: Hosts, scenario: Scenario, heading: string): void {
  let watch: SlotWatch;
  beforeAll(() => {
    watch = new SlotWatch(() => hosts.height(), SLOT_MS);
  });
  afterAll(() => watch.stop());

  for (const [index, { commands, emptySlotsMax }] of stepsUnder(guide, heading).entries()) {
    const [{ line }] = commands as [(typeof commands)[number]];
    scenario(
      `41: step ${index + 1}, line ${line}: at most ${emptySlotsMax} slots without a block`,
      async () => {
        if (emptySlotsMax === undefined) throw new Error('the guide does not say how long blocks may fail');
        const empty = await watch.emptySlotsDuring(async () => {
          for (const command of commands) await carryOut(hosts, command);
        });
        console.info(
          `${heading}, step ${index + 1}: ${empty} of at most ${emptySlotsMax} slots without a block`,
        );
        expect(empty).toBeLessThanOrEqual(emptySlotsMax);
      },
    );
  }

  scenario('41: in the end one sequencer runs, and no block is lost or replaced', async () => {
    await waitFor('one active sequencer', async () => {
      const states = await Promise.all(hosts.devnets().map((devnet) => devnet.state()));
      return states.filter(({ active }) => active).length === 1;
    });
    expect(await lostOrReplaced(hosts)).toEqual([]);
  });
}

/** On each machine an op-node that asks its conductor, with its sequencer stopped; and Baton's settings. */
async function prepareHosts(hosts: Hosts, opConductor?: string): Promise<void> {
  await hosts.prepare({
    ids: IDS,
    blockTimeMs: SLOT_MS,
    ...(opConductor === undefined ? {} : { opConductor }),
  });
  for (const host of hosts.nodes) {
    await host.configure('op-node', { OP_NODE_CONDUCTOR_ENABLED: 'true' });
    await host.configure('baton', host.conductorSettings('baton'));
  }
}

const startAll = (hosts: Hosts, unit: Unit): Promise<unknown> =>
  Promise.all(hosts.nodes.map((host) => host.start(unit)));

describeProcesses(
  'MIGRATION: from one sequencer to three nodes',
  new Hosts(),
  async (hosts) => {
    await prepareHosts(hosts);
    await hosts.host('seq-0').configure('op-node', { OP_NODE_CONDUCTOR_ENABLED: 'false' });
    await startAll(hosts, 'op-node');
  },
  (hosts, scenario) => followGuide(hosts, scenario, 'From one sequencer to three nodes'),
);

const hasOpConductor = existsSync(OP_CONDUCTOR);
if (!hasOpConductor) {
  console.warn('migration.test.ts skips what needs op-conductor: make test-real builds it once');
}
const describeBesideOpConductor = hasOpConductor ? describeProcesses : describeProcesses.skip;

/** Settings of op-conductor alone, beside those that both read. */
async function configureOpConductor(host: Host, isFirst: boolean): Promise<void> {
  await host.configure('op-conductor', {
    ...host.conductorSettings('op-conductor'),
    OP_CONDUCTOR_NETWORK: 'op-sepolia',
    ...(isFirst ? { OP_CONDUCTOR_RAFT_BOOTSTRAP: 'true' } : { OP_CONDUCTOR_PAUSED: 'true' }),
  });
}

/** op-conductor's way to a cluster whose first member sequences (docs/reference/op-conductor.md §9.1). */
async function startUnderOpConductor(hosts: Hosts): Promise<void> {
  await prepareHosts(hosts, OP_CONDUCTOR);
  await startAll(hosts, 'op-node');
  const [first, ...others] = hosts.nodes as [Host, ...Host[]];
  for (const host of hosts.nodes) await configureOpConductor(host, host === first);
  await startAll(hosts, 'op-conductor');
  const call = async (host: Host, method: string, ...params: unknown[]): Promise<unknown> => {
    const { result, error } = await rpc(host.addresses.RPC, method, ...params);
    if (error) throw new Error(`${host.id}: ${method}: ${error.message}`);
    return result;
  };
  await waitFor('op-conductor to lead', async () => (await call(first, 'conductor_leader')) === true);
  for (const { id, addresses } of others) {
    await waitFor(`${id} to be added`, async () => {
      await call(first, 'conductor_addServerAsVoter', id, addresses.PEER, 0);
      return true;
    });
  }
  const { result } = await rpc(first.addresses.NODE, 'optimism_syncStatus');
  const { unsafe_l2: head } = result as { unsafe_l2: { hash: string } };
  const { error } = await rpc(first.addresses.NODE, 'admin_startSequencer', head.hash);
  if (error) throw new Error(error.message);
  for (const host of hosts.nodes) await call(host, 'conductor_resume');
}

describeBesideOpConductor(
  'MIGRATION: from op-conductor to Baton',
  new Hosts(),
  startUnderOpConductor,
  (hosts, scenario) => followGuide(hosts, scenario, 'From op-conductor to Baton'),
);

describeBesideOpConductor(
  'MIGRATION: from Baton back to op-conductor',
  new Hosts(),
  async (hosts) => {
    await prepareHosts(hosts, OP_CONDUCTOR);
    const peers = hosts.nodes.map(({ id, addresses }) => `${id}@${addresses.PEER}`).join(',');
    for (const host of hosts.nodes) {
      const isFirst = host.id === 'seq-0';
      await configureOpConductor(host, isFirst);
      await host.configure('baton', { ...host.conductorSettings('baton'), OP_CONDUCTOR_RAFT_PEERS: peers });
    }
    await startAll(hosts, 'op-node');
    await startAll(hosts, 'baton');
    const shell = await hosts.shell(null);
    await waitFor('seq-0 to lead', async () => (await shell.run('baton transfer seq-0 --yes')).code === 0);
  },
  (hosts, scenario) => followGuide(hosts, scenario, 'From Baton back to op-conductor'),
);
