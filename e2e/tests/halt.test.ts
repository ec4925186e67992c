import { beforeAll, expect } from '@jest/globals';
import { request } from 'undici';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const baton = ({ baton }: ClusterNode, ...argv: string[]): Promise<BatonRun> =>
  runBaton([...argv, ...(argv[0] === 'status' ? [] : ['--yes'])], { BATON_RPC: baton.rpcUrl, USER: 'alice' });

const expectDone = ({ code, stdout, stderr }: BatonRun, says: RegExp): void => {
  expect({ code, stderr: stderr.replace(/^(waiting|trying again): .*\n/gm, '') }).toEqual({
    code: 0,
    stderr: '',
  });
  expect(stdout).toMatch(says);
};

interface StatusJson {
  level: string;
  problems: { code: string }[];
  members: { status: { halt: { reason: string } | null; head: { number: number; hash: string } } | null }[];
}

const statusAt = async (node: ClusterNode): Promise<StatusJson> =>
  JSON.parse((await baton(node, 'status', '--json')).stdout) as StatusJson;

describeCluster('a halt', STEADY, (cluster, scenario) => {
  let stoodAt: number;

  beforeAll(() => expectHealthy(cluster).then(() => undefined));

  const nobodySequences = async (): Promise<boolean> => {
    const states = await Promise.all(cluster.nodes.map(({ devnet }) => devnet.state()));
    return states.every(({ active }) => !active);
  };
  /** No decision since then was a start. */
  const starts = (): number =>
    cluster.nodes.flatMap(({ baton: { log } }) => log).filter(({ msg }) => msg === 'sequencer started')
      .length;

  scenario(
    'stops the sequencer at a committed block, everywhere, and says so at the top of status',
    async () => {
      const leader = await cluster.activeLeader();
      const other = cluster.others(leader)[0]!;
      const run = await baton(other, 'halt', '--reason', 'bad upgrade');
      expectDone(run, /^halted: the chain stands at block \d+, which is committed/m);
      expect(await nobodySequences()).toBe(true);
      stoodAt = await cluster.height();
      // The last block is committed: nothing was published without a commit.
      await cluster.convergedAt(stoodAt);
      const { level, problems, members } = await statusAt(leader);
      expect({ level, codes: problems.map(({ code }) => code) }).toEqual({
        level: 'degraded',
        codes: ['halted'],
      });
      expect(members.map(({ status }) => status?.head.number)).toEqual([stoodAt, stoodAt, stoodAt]);
      const table = await baton(leader, 'status');
      expect(table.code).toBe(1);
      expect(table.stdout).toMatch(/^HALTED since \S+ by alice@\S+: bad upgrade\n\nID /);
      // Meanwhile an update goes from node to node.
      expect((await request(`${leader.baton.rpcUrl}/readyz`)).statusCode).toBe(200);
      expect((await request(`${leader.baton.rpcUrl}/leader`)).statusCode).toBe(503);
    },
  );

  scenario('outlives its leader', async () => {
    const before = starts();
    const leader = await cluster.leader();
    const next = cluster.others(leader)[0]!;
    expectDone(await baton(leader, 'transfer', next.id), /the cluster is halted and starts no sequencer/);
    await next.baton.kill();
    const third = await cluster.leader();
    expect(third).not.toBe(next);
    await waitFor('the decision of the new leader', () =>
      third.baton.log.some(({ msg, reason }) => msg === 'decided' && reason === 'the cluster is halted'),
    );
    await next.baton.start();
    expect(starts()).toBe(before);
    expect(await cluster.height()).toBe(stoodAt);
  });

  scenario('outlives restarts of all Batons and all nodes', async () => {
    await Promise.all(cluster.nodes.map((node) => cluster.killMachine(node)));
    await Promise.all(cluster.nodes.map((node) => cluster.restartMachine(node)));
    const before = starts();
    const leader = await cluster.leader();
    await waitFor('all to know of the halt', async () =>
      (await statusAt(leader)).members.every(({ status }) => status?.halt?.reason === 'bad upgrade'),
    );
    await waitFor('its decision', () =>
      leader.baton.log.some(({ msg, reason }) => msg === 'decided' && reason === 'the cluster is halted'),
    );
    expect(starts()).toBe(before);
    expect(await nobodySequences()).toBe(true);
    expect(await cluster.height()).toBe(stoodAt);
  });

  scenario('ends with resume, and the chain continues where it stopped', async () => {
    const [node] = cluster.nodes as [ClusterNode];
    expectDone(await baton(node, 'resume', '--reason', 'rolled back'), /^the halt is over/m);
    await cluster.activeLeader();
    await cluster.convergedAt(stoodAt + 3);
    await cluster.allHealthy();
    await waitFor('nothing to be wrong', async () => (await statusAt(node)).problems.length === 0);
  });

  scenario('without a quorum is a pause and a stop of the members that answer', async () => {
    const leader = await cluster.activeLeader();
    const others = cluster.others(leader);
    await Promise.all(others.map((each) => each.baton.kill()));
    await waitFor('no leader', async () =>
      (await statusAt(leader)).problems.some(({ code }) => code === 'quorum-lost'),
    );
    const run = await baton(leader, 'halt', '--reason', 'L1 incident');
    expect({ code: run.code, stdout: run.stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining(
        `${leader.id}: paused, and no sequencer runs there. This is not recorded`,
      ),
    });
    expect((await leader.devnet.state()).active).toBe(false);
    expect(await leader.baton.call('conductor_paused')).toBe(true);
    await Promise.all(others.map((each) => each.baton.start()));
    await cluster.leader();
    expectDone(await baton(leader, 'resume'), /: resumed/);
    await cluster.activeLeader();
  });
});
