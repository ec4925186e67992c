import { beforeAll, expect } from '@jest/globals';
import { request } from 'undici';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { lostOrReplaced } from '../cluster/published-blocks.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const TWO_AND_A_WITNESS = { ...STEADY, size: 2, witness: true } as const;

describeCluster('two sequencers and a witness', TWO_AND_A_WITNESS, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster));

  /** As an operator runs it, against the conductor of the witness. */
  const baton = (...argv: string[]): Promise<BatonRun> =>
    runBaton(argv, { BATON_RPC: cluster.witness.rpcUrl });

  const ask = async (path: string): Promise<{ status: number; reason: string }> => {
    const { statusCode, body } = await request(`${cluster.witness.rpcUrl}${path}`);
    const { reason = '' } = (await body.json()) as { reason?: string };
    return { status: statusCode, reason };
  };

  const witnessLeads = (): Promise<boolean> => cluster.witness.call<boolean>('conductor_leader');

  /** How often the witness became leader so far. */
  const leaderships = (): number =>
    cluster.witness.log.filter(({ msg, role }) => msg === 'role changed' && role === 'leader').length;

  const theOther = (node: ClusterNode): ClusterNode => cluster.others(node)[0]!;

  /** Every member runs and is healthy, and no acknowledged block is lost. */
  const expectAllWell = async (): Promise<ClusterNode> => {
    const leader = await expectHealthy(cluster);
    await waitFor('the witness to be ready', async () => (await ask('/readyz')).status === 200);
    const { code, stdout } = await waitFor('a healthy cluster', async () => {
      const run = await baton('status');
      if (run.code === 0) return run;
      throw new Error(run.stdout);
    });
    expect({ code, verdict: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      verdict: 'ok: 3 of 3 voters keep up, failure tolerance 1',
    });
    expect(stdout).toMatch(/^witness +witness +healthy +- +\d+ +- +- +no /m);
    return leader;
  };

  scenario('the witness is a healthy member, and never has the sequencer', async () => {
    await expectAllWell();
    expect(await ask('/leader')).toMatchObject({
      status: 503,
      reason: expect.stringContaining('has no sequencer'),
    });
    expect(await cluster.witness.call('conductor_sequencerHealthy')).toBe(true);
  });

  scenario('its start does not wait for op-node', async () => {
    await waitFor('a time after which it would say so', async () => {
      const { uptimeMs } = await cluster.witness.call<{ uptimeMs: number }>('conductor_status');
      return uptimeMs > 4000;
    });
    const waiting = cluster.witness.log.filter(({ msg }) => msg === 'startup is waiting');
    expect(waiting.filter((line) => JSON.stringify(line).includes('op-node'))).toEqual([]);
  });

  scenario('blocks flow on when either sequencer is killed, and when it is back', async () => {
    for (const which of ['the leader', 'the follower'] as const) {
      const leader = await expectAllWell();
      const killed = which === 'the leader' ? leader : theOther(leader);
      await cluster.killMachine(killed);
      await cluster.activeAmong([theOther(killed)]);
      await cluster.moreBlocks(5);
      await cluster.restartMachine(killed);
    }
    await expectAllWell();
  });

  scenario('blocks flow on without the witness', async () => {
    await cluster.witness.kill();
    await cluster.moreBlocks(5);
    await cluster.witness.start();
    await expectAllWell();
  });

  scenario('leadership is not given to the witness at anybody’s request', async () => {
    const leader = await expectAllWell();
    await expect(leader.baton.call('conductor_transferLeaderToServer', ['witness', ''])).rejects.toThrow(
      `witness is a witness: it has no sequencer and would hand leadership back; transfer it to ${theOther(leader).id}`,
    );
    const { code, stderr } = await baton('transfer', 'witness', '--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('witness is a witness: it has no sequencer');
    expect((await baton('transfer', '--yes')).code).toBe(0);
    expect((await expectAllWell()).id).toBe(theOther(leader).id);
  });

  scenario('the witness leads when it alone has the whole log, until a member can sequence', async () => {
    const last = await expectAllWell();
    const behind = theOther(last);
    const before = leaderships();
    await cluster.killMachine(behind);
    const acknowledged = await cluster.moreBlocks(5);
    await cluster.killMachine(last);
    // Its log lacks the blocks acknowledged meanwhile, so it is not elected; and it has no node to sequence with.
    await behind.baton.start();
    await waitFor('the witness to lead', witnessLeads);
    const problem = 'the leader witness is a witness, and no member with a node could take over';
    const { code, stdout } = await baton('status');
    expect(code).toBe(2);
    expect(stdout).toContain(problem);
    expect(stdout).toMatch(/^witness +leader \(witness\) +healthy /m);
    expect(await ask('/readyz')).toMatchObject({ status: 503 });

    await behind.devnet.restart();
    await cluster.activeAmong([behind]);
    expect(await witnessLeads()).toBe(false);
    expect(await cluster.moreBlocks(3)).toBeGreaterThan(acknowledged);
    expect(leaderships()).toBe(before + 1);
    const handOvers = cluster.witness.log.filter(({ msg }) => msg === 'leadership transfer');
    expect(handOvers.at(-1)).toMatchObject({
      to: behind.id,
      reason: 'a witness has no node',
      outcome: 'done',
    });

    await cluster.restartMachine(last);
    expect((await expectAllWell()).id).toBe(behind.id);
    expect(await lostOrReplaced(cluster)).toEqual([]);
  });
});
