import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';
import { carryOut } from '../cluster/carry-out.js';
import { stepsUnder, type DocumentedCommand } from '../cluster/document-steps.js';
import type { Host } from '../cluster/host.js';
import { Hosts } from '../cluster/hosts.js';
import { lostOrReplaced } from '../cluster/published-blocks.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeProcesses } from './describe-cluster.js';

const MEMBERS = ['seq-0', 'seq-1', 'seq-2'];
/** Gets Baton's settings, and runs none until the runbook says so. */
const SPARE = 'seq-3';

const runbook = readFileSync(path.join(repositoryRoot, 'docs/RUNBOOK.md'), 'utf8');
const commandsUnder = (heading: string): DocumentedCommand[] =>
  stepsUnder(runbook, heading).flatMap(({ commands }) => commands);

interface Procedure {
  heading: string;
  /** The state that an operator finds. */
  trouble?: (hosts: Hosts) => Promise<void>;
}

/** In this order: each finds the cluster as the previous one left it. */
const PROCEDURES: readonly Procedure[] = [
  { heading: 'Planned work on a node', trouble: (hosts) => lead(hosts, 'seq-0') },
  { heading: 'Wiped disk', trouble: (hosts) => wipe(hosts.host('seq-1')) },
  { heading: 'Halted' },
  { heading: 'What happened?' },
  {
    heading: 'A node must go for good',
    trouble: async (hosts) => {
      await lead(hosts, 'seq-0');
      await hosts.host('seq-2').kill();
    },
  },
  {
    heading: 'Quorum lost',
    trouble: async (hosts) => {
      // By then the voters are seq-0 and seq-3.
      await hosts.host(SPARE).kill();
      await wipe(hosts.host('seq-1'));
    },
  },
];

describeProcesses('RUNBOOK: the life of a cluster', new Hosts(), start, (hosts, scenario) => {
  for (const { heading, trouble } of PROCEDURES) {
    scenario(`${heading}`, async () => {
      await trouble?.(hosts);
      for (const command of commandsUnder(heading)) await carryOut(hosts, command);
      await oneSequences(hosts);
      expect(await lostOrReplaced(hosts)).toEqual([]);
    });
  }

  it('leaves out no command of the page', () => {
    const carriedOut = new Set(
      PROCEDURES.flatMap(({ heading }) => commandsUnder(heading).map(({ line }) => line)),
    );
    expect(commandsUnder('Runbook').filter(({ line }) => !carriedOut.has(line))).toEqual([]);
  });
});

async function start(hosts: Hosts): Promise<void> {
  await hosts.prepare({ ids: [...MEMBERS, SPARE], blockTimeMs: 1000 });
  const members = hosts.nodes.filter(({ id }) => id !== SPARE);
  const peers = members.map(({ id, addresses }) => `${id}@${addresses.PEER}`).join(',');
  for (const host of hosts.nodes) {
    await host.configure('op-node', { OP_NODE_CONDUCTOR_ENABLED: 'true' });
    const joins = host.id === SPARE ? {} : { OP_CONDUCTOR_RAFT_PEERS: peers };
    await host.configure('baton', { ...host.conductorSettings('baton'), ...joins });
  }
  await Promise.all(hosts.nodes.map((host) => host.start('op-node')));
  await Promise.all(members.map((host) => host.start('baton')));
}

async function lead(hosts: Hosts, id: string): Promise<void> {
  const shell = await hosts.shell(null);
  await waitFor(`${id} to lead`, async () => (await shell.run(`baton transfer ${id} --yes`)).code === 0);
}

async function oneSequences(hosts: Hosts): Promise<void> {
  const height = await hosts.height();
  await waitFor('one active sequencer, and two more blocks', async () => {
    const running = hosts.devnets().filter(({ pid }) => pid !== undefined);
    const states = await Promise.all(running.map((devnet) => devnet.state()));
    return states.filter(({ active }) => active).length === 1 && (await hosts.height()) >= height + 2;
  });
}

async function wipe(host: Host): Promise<void> {
  await host.stop('baton');
  await rm(path.join(host.environment['LIB'] as string, 'baton'), { recursive: true });
  await host.start('baton');
}
