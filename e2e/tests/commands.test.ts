import { beforeAll, expect } from '@jest/globals';
import type { ClusterNode } from '../cluster/process-cluster.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { describeCluster, STEADY } from './describe-cluster.js';

/** Runs `baton` as a script does, against the conductor of this node. */
const baton = (node: ClusterNode, ...argv: string[]): Promise<BatonRun> => {
  const needsYes = argv[0] !== 'status';
  return runBaton(needsYes ? [...argv, '--yes'] : argv, { BATON_RPC: node.baton.rpcUrl });
};

interface StatusJson {
  level: string;
  failureTolerance: number;
  problems: object[];
  leader: string | null;
  members: { id: string; role: string; status: { node: { sequencerActive: boolean } } | null }[];
}

describeCluster("operators' commands against a cluster of processes", STEADY, (cluster, scenario) => {
  beforeAll(async () => {
    await cluster.convergedAt(3);
    await cluster.allHealthy();
  });

  const expectDone = ({ code, stdout, stderr }: BatonRun, says: RegExp): void => {
    // The event is noted only after seconds, even more so on a busy machine.
    const complaints = stderr.replace(/^(waiting|trying again): .*\n/gm, '');
    expect({ code, complaints }).toEqual({ code: 0, complaints: '' });
    expect(stdout).toMatch(says);
  };
  const expectFailed = ({ code, stderr }: BatonRun, error: RegExp, remedy: string): void => {
    expect(stderr).toMatch(error);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`remedy: .* \\(${remedy}\\)\\n$`));
  };

  scenario('status shows the same cluster from any of its members', async () => {
    const leader = await cluster.activeLeader();
    const runs = await Promise.all(cluster.nodes.map((node) => baton(node, 'status', '--json')));
    for (const { code, stdout } of runs) {
      const { level, failureTolerance, problems, leader: shown, members } = JSON.parse(stdout) as StatusJson;
      const active = members.filter(({ status }) => status?.node.sequencerActive).map(({ id }) => id);
      expect({ code, level, failureTolerance, problems, shown, active }).toEqual({
        code: 0,
        level: 'ok',
        failureTolerance: 1,
        problems: [],
        shown: leader.id,
        active: [leader.id],
      });
    }
    expectDone(
      await baton(leader, 'status'),
      new RegExp(`\n${leader.id} +leader +healthy +yes +\\d+ +\\d+ `),
    );
  });

  scenario(
    'transfer moves leadership to the named member, asked anywhere, and to another without a name',
    async () => {
      const from = await cluster.activeLeader();
      const [to, third] = cluster.others(from) as [ClusterNode, ClusterNode];
      expectDone(
        await baton(third, 'transfer', to.id),
        new RegExp(
          `^${to.id} leads in term \\d+, it was ${from.id}; its sequencer is active at block \\d+`,
          'm',
        ),
      );
      expect((await cluster.activeLeader()).id).toBe(to.id);
      expectDone(await baton(third, 'transfer', '--away'), new RegExp(`nothing to transfer: ${to.id} leads`));
      await cluster.allHealthy();
      expectDone(await baton(to, 'transfer', '--away'), /leads in term/);
      expect((await cluster.activeLeader()).id).not.toBe(to.id);
    },
  );

  scenario('every command that takes an id refuses an unknown one', async () => {
    const commands = ['transfer', 'pause', 'resume', 'remove', 'demote', 'override'];
    const runs = await Promise.all(commands.map((command) => baton(cluster.nodes[0]!, command, 'nobody')));
    for (const run of runs) expectFailed(run, /^error: nobody is not a member/, 'not-a-member');
  });

  scenario('pause and resume', async () => {
    const leader = await cluster.activeLeader();
    expectDone(await baton(leader, 'pause'), /^the cluster: paused/m);
    for (const { baton: process } of cluster.nodes) expect(await process.call('conductor_paused')).toBe(true);
    expectFailed(await baton(leader, 'transfer', cluster.others(leader)[0]!.id), /is paused/, 'unfit-target');
    expectDone(await baton(leader, 'resume'), /: resumed/);
    await cluster.activeLeader();
  });

  scenario('a change without confirmation is not made, and a script does not hang', async () => {
    const leader = await cluster.activeLeader();
    const run = await runBaton(['pause'], { BATON_RPC: leader.baton.rpcUrl });
    expect(run.code).toBe(3);
    expect(run.stdout).toContain('the failure tolerance stays 1.');
    expect(run.stderr).toMatch(/nothing was changed: there is no terminal to ask on\n.*\(unconfirmed\)\n$/);
    for (const { baton: process } of cluster.nodes)
      expect(await process.call('conductor_paused')).toBe(false);
  });

  scenario('the reason of a change is in the log of the member that made it', async () => {
    const leader = await cluster.activeLeader();
    const member = cluster.others(leader)[0]!;
    const env = { BATON_RPC: leader.baton.rpcUrl, USER: 'alice' };
    const reason = 'Wartung “L1”';
    expect((await runBaton(['pause', member.id, '--reason', reason, '--yes'], env)).code).toBe(0);
    const line = member.baton.log.findLast(
      ({ msg, method }) => msg === 'a change was asked for' && method === 'conductor_beginPause',
    );
    expect(line).toMatchObject({
      method: 'conductor_beginPause',
      by: { owner: expect.stringMatching(/^alice@/), reason },
    });
    expectDone(await baton(leader, 'resume'), /: resumed/);
    await cluster.allHealthy();
  });

  scenario('timing', async () => {
    const leader = await cluster.activeLeader();
    const member = cluster.others(leader)[0]!;
    expectDone(await baton(member, 'timing', '--jitter', '11ms'), /^free values: .* jitter 11ms.* \(/m);
    expectFailed(await baton(member, 'timing', '--lease-timeout', '1h'), /lease of 3600000 ms/, 'refused');
    expectDone(await baton(member, 'timing', 'lan'), /^lan: .* jitter 10ms.* \(/m);
    for (const { baton: process } of cluster.nodes) {
      expect(await process.call('conductor_status')).toMatchObject({
        timing: { profile: 'lan', jitterMs: 10 },
      });
    }
  });

  scenario('remove, replace and add', async () => {
    const leader = await cluster.activeLeader();
    const [member, other] = cluster.others(leader) as [ClusterNode, ClusterNode];
    const rest = cluster.nodes.filter((node) => node !== member).map(({ id }) => id);
    expectDone(
      await baton(member, 'remove', member.id, '--force'),
      new RegExp(`; members: ${rest.join(', ')}; leader`),
    );
    expectFailed(
      await baton(leader, 'add', member.id, leader.baton.consensusAddress),
      new RegExp(`answers: .*${leader.id}, not ${member.id}`),
      'refused',
    );
    const replaced = await baton(other, 'replace', other.id, member.id, member.baton.consensusAddress);
    expectDone(
      replaced,
      new RegExp(`is a voter in place of ${other.id}; members: (?!.*${other.id}.*leader).*${member.id}`),
    );
    const added = await baton(leader, 'add', other.id, other.baton.consensusAddress);
    expectDone(added, new RegExp(`^${other.id} at ${other.baton.consensusAddress} is a voter`, 'm'));
    await cluster.allHealthy();
  });

  scenario('with a dead member: says so, and protects the quorum', async () => {
    const leader = await cluster.activeLeader();
    const [dead, other] = cluster.others(leader) as [ClusterNode, ClusterNode];
    await dead.baton.kill();
    const status = await baton(leader, 'status');
    expect(status.stdout).toMatch(new RegExp(`\n${dead.id} +\\? .*no answer: .*ECONNREFUSED`));
    expect(status.code).toBe(1);
    expect(status.stdout).toMatch(new RegExp(`degraded: ${dead.id} does not answer: .* \\(no-answer\\)`));
    expect(status.stdout).toContain('failure tolerance 0');
    expectFailed(await baton(leader, 'transfer', dead.id), /does not answer/, 'unfit-target');
    expectDone(await baton(leader, 'pause', dead.id), /: no answer; recorded, to be paused/);
    const paused = await baton(leader, 'pause');
    expect(paused.code).toBe(0);
    expect(paused.stderr).toContain(`${dead.id}: no answer; the log will tell`);
    expectDone(
      await baton(leader, 'resume'),
      new RegExp(`^${dead.id}: no answer; recorded, to be resumed`, 'm'),
    );
    expectFailed(await baton(leader, 'remove', other.id), /1 of 2 voters would answer/, 'would-lose-quorum');
    expectFailed(await baton(other, 'override', other.id), new RegExp(`${leader.id} leads`), 'leader-exists');
    const unanswered = await baton(dead, 'status', '--json');
    expect(unanswered.code).toBe(4);
    expect(JSON.parse(unanswered.stdout)).toMatchObject({ schemaVersion: 1, error: { code: 'no-answer' } });
  });

  scenario('without a quorum: commands end at their deadline, and override works', async () => {
    const leader = await cluster.leader();
    const other = cluster.others(leader).find((node) => node.baton.pid !== undefined)!;
    await leader.baton.kill();
    expectFailed(
      await baton(other, 'transfer', '--deadline', '1s'),
      /^error: after 1s: no leader: 1 of 3 voters answer, 2 are needed\n/,
      'quorum-lost',
    );
    const status = await baton(other, 'status');
    expect(status.code).toBe(2);
    expect(status.stdout).toContain('critical: no leader: 1 of 3 voters answer, 2 are needed (quorum-lost)');
    expectDone(await baton(other, 'override', other.id), /calls itself leader/);
    expect(await other.baton.call('conductor_leader')).toBe(true);
    expectDone(await baton(other, 'override', other.id, '--remove'), /it forgets that by nothing else/);
    expect(await other.baton.call('conductor_leader')).toBe(false);
  });
});
