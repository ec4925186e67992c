import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { History, HistoryEntry, Leadership } from '../../rpc/server/history.js';
import type { LogLine } from '../cluster/baton-process.js';
import type { ClusterNode, ClusterOptions } from '../cluster/process-cluster.js';
import { runBaton, type BatonRun } from '../cluster/run-baton.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeCluster, STEADY } from './describe-cluster.js';
import { expectHealthy } from './expect-healthy.js';

const WARN = 40;
const ERROR = 50;

const baton = ({ baton }: ClusterNode, ...argv: string[]): Promise<BatonRun> =>
  runBaton(argv, { BATON_RPC: baton.rpcUrl, USER: 'alice' });

const historyAt = async (node: ClusterNode): Promise<HistoryEntry[]> => {
  const { code, stdout } = await baton(node, 'history', '--json');
  expect(code).toBe(0);
  return (JSON.parse(stdout) as History).entries;
};

/** Waits until `baton history` at this member ends with a matching entry, newer than `since`. */
const entryAt = (
  node: ClusterNode,
  since: number,
  isWanted: (entry: HistoryEntry) => boolean,
): Promise<HistoryEntry> =>
  waitFor('an entry of the history', async () => {
    const entries = (await historyAt(node)).filter(({ atMs }) => atMs >= since);
    const found = entries.find(isWanted);
    if (found) return found;
    throw new Error(JSON.stringify(entries));
  });

const newLeader = (node: ClusterNode, since: number, to: ClusterNode): Promise<HistoryEntry> =>
  entryAt(node, since, ({ kind, details }) => kind === 'leadership' && details['to'] === to.id);

/** The warnings of a member that say that it took over, since this line of its log. */
const warnings = ({ baton: { log } }: ClusterNode, from = 0): LogLine[] =>
  log
    .slice(from)
    .filter(({ msg, level }) => level === WARN && / (took over from|leads again|leads:) ?/.test(msg ?? ''));

/** A webhook that takes everything. */
class Receiver {
  readonly entries: HistoryEntry[] = [];
  readonly server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      this.entries.push((JSON.parse(body) as { entry: HistoryEntry }).entry);
      response.writeHead(204).end();
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const receiver = new Receiver();
/** Takes connections and never answers. */
const hole = createServer(() => undefined);

const withWebhooks = async (): Promise<Partial<ClusterOptions>> => {
  const url = await receiver.start();
  return { ...STEADY, flagsOf: () => ['--history.webhook', url] };
};

describeCluster('the history of a cluster of processes', withWebhooks, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));
  afterAll(() => receiver.stop());

  scenario('has the first leader, and no old member keeps it from being recorded', async () => {
    const leader = await cluster.activeLeader();
    expect((await newLeader(leader, 0, leader)).details).toMatchObject({ cause: { type: 'start' } });
  });

  scenario(
    '23: kill -9 of the leader is one warning of the new one, and the same at every member',
    async () => {
      const killed = await cluster.activeLeader();
      await cluster.moreBlocks(5);
      const since = Date.now();
      const from = new Map(cluster.nodes.map((node) => [node, node.baton.log.length]));
      await killed.baton.kill('SIGKILL');
      const successor = await cluster.activeAmong(cluster.others(killed));
      const third = cluster.others(killed).find((node) => node !== successor)!;
      const { details } = await newLeader(third, since, successor);
      const { firstBlock, ...change } = details as unknown as Leadership;
      expect(change).toMatchObject({ from: killed.id, to: successor.id, cause: { type: 'process-gone' } });
      expect(change.withoutSequencerMs).toBeLessThan(5000);
      expect(change.betweenBlocksMs).toBeGreaterThanOrEqual(change.withoutSequencerMs!);
      const chain = await successor.devnet.blocks(firstBlock!.number);
      expect(chain[0]).toMatchObject(firstBlock!);
      expect(warnings(successor, from.get(successor)).slice(0, 1)).toMatchObject([
        { from: killed.id, to: successor.id, cause: { type: 'process-gone' }, firstBlock },
      ]);
      const ofIt = ({ from: former }: LogLine): boolean => former === killed.id;
      expect(warnings(third, from.get(third)).filter(ofIt)).toEqual([]);
      await killed.baton.start();
      await expectHealthy(cluster);
    },
  );

  scenario('24: a transfer names its caller, place and reason, and the old leader also logs it', async () => {
    const leader = await cluster.activeLeader();
    const [to, other] = cluster.others(leader) as [ClusterNode, ClusterNode];
    const since = Date.now();
    const reason = 'kernel upgrade, OPS-1';
    expect(await baton(other, 'transfer', to.id, '--reason', reason, '--yes')).toMatchObject({ code: 0 });
    const who = {
      owner: expect.stringMatching(/^alice@/),
      reason,
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    };
    const asked = await entryAt(other, since, ({ kind }) => kind === 'operation');
    expect(asked).toMatchObject({
      what: 'conductor_transferLeaderToServer',
      node: leader.id,
      who,
      result: 'done',
    });
    const change = await newLeader(other, since, to);
    expect(change).toMatchObject({
      who,
      details: { from: leader.id, cause: { type: 'transfer', reason: '' } },
    });
    const line = leader.baton.log.findLast(({ msg }) => msg === 'a change was asked for');
    expect(line).toMatchObject({ method: 'conductor_transferLeaderToServer', by: who, result: 'done' });
    const { stdout } = await baton(other, 'history', '--since', '1m');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      `${to.id} took over from ${leader.id}: a transfer by alice@`,
    );
  });

  scenario('24: it has refused calls, and calls to a follower', async () => {
    const leader = await cluster.activeLeader();
    const follower = cluster.others(leader)[0]!;
    const since = Date.now();
    await expect(follower.baton.call('conductor_removeServer', [leader.id, 0])).rejects.toThrow(
      'not the leader',
    );
    await follower.baton.call('conductor_pause');
    await follower.baton.call('conductor_resume');
    const refused = await entryAt(leader, since, ({ what }) => what === 'conductor_removeServer');
    expect(refused).toMatchObject({ node: follower.id, result: 'failed: node is not the leader' });
    await entryAt(leader, since, ({ what, node }) => what === 'conductor_resume' && node === follower.id);
  });

  scenario('23: a leader whose op-node dies says why it gave leadership away', async () => {
    const leader = await cluster.activeLeader();
    const since = Date.now();
    await leader.devnet.kill('SIGKILL');
    const successor = await cluster.activeAmong(cluster.others(leader));
    const { details } = await newLeader(successor, since, successor);
    expect(details).toMatchObject({
      from: leader.id,
      cause: { type: 'unhealthy', reason: expect.stringContaining('op-node') },
    });
    await leader.devnet.restart();
    await expectHealthy(cluster);
  });

  scenario('23: a leader that is stopped says so', async () => {
    const leader = await cluster.activeLeader();
    const since = Date.now();
    await leader.baton.kill('SIGTERM');
    const successor = await cluster.activeAmong(cluster.others(leader));
    const { details } = await newLeader(successor, since, successor);
    expect(details).toMatchObject({ from: leader.id, cause: { type: 'shutdown', reason: 'SIGTERM' } });
    // Blocks come every 200 ms, and this machine is busy.
    expect((details as unknown as Leadership).slotsMissed).toBeLessThan(10);
    await leader.baton.start();
    await expectHealthy(cluster);
  });

  scenario('the webhook got each entry once', async () => {
    const entries = await historyAt(await cluster.activeLeader());
    await waitFor('the last entry', async () => {
      const missing = entries.filter(({ id }) => !receiver.entries.some((entry) => entry.id === id));
      if (missing.length === 0) return true;
      throw new Error(JSON.stringify(missing));
    });
    const ids = receiver.entries.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  scenario(
    '22: a lost quorum is one error on the remaining member, and calls made then are recorded later',
    async () => {
      const leader = await cluster.activeLeader();
      const lost = cluster.others(leader);
      const from = leader.baton.log.length;
      const since = Date.now();
      await Promise.all(lost.map(({ baton: process }) => process.kill('SIGKILL')));
      const errors = (): LogLine[] => leader.baton.log.slice(from).filter(({ level }) => level === ERROR);
      await waitFor('the error', async () => errors().length > 0);
      const pausedAtMs = Date.now();
      await leader.baton.call('conductor_pause');
      await leader.baton.call('conductor_resume');
      const standsAgain = (): boolean =>
        leader.baton.log.some(({ msg, retries }) => msg === 'stands for election' && Number(retries) > 0);
      await waitFor('many elections', async () => standsAgain());
      expect(errors()).toMatchObject([
        {
          code: 'no-quorum',
          msg: expect.stringContaining('no quorum: 1 of 3 voters answers, no block is committed'),
          remedy: expect.stringContaining('bring back the voters'),
        },
      ]);
      expect((errors()[0]!['missing'] as { id: string }[]).map(({ id }) => id).sort()).toEqual(
        lost.map(({ id }) => id).sort(),
      );
      const backFromMs = Date.now();
      await Promise.all(lost.map(({ baton: process }) => process.start()));
      await expectHealthy(cluster);
      expect(
        leader.baton.log.slice(from).filter(({ msg }) => msg?.startsWith('the quorum is back')),
      ).toHaveLength(1);
      const paused = await entryAt(lost[0]!, since, ({ what }) => what === 'conductor_pause');
      expect(paused.atMs).toBeGreaterThanOrEqual(pausedAtMs);
      expect(paused.atMs).toBeLessThanOrEqual(backFromMs);
    },
  );
});

const withHole = async (): Promise<Partial<ClusterOptions>> => {
  await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
  const { port } = hole.address() as AddressInfo;
  return { ...STEADY, flagsOf: () => ['--history.webhook', `http://alice:s3cret@127.0.0.1:${port}/s3cret`] };
};

describeCluster('a webhook that never answers', withHole, (cluster, scenario) => {
  beforeAll(() => expectHealthy(cluster).then(() => undefined));
  afterAll(() => {
    hole.closeAllConnections();
    hole.close();
  });

  scenario('holds nothing up, and its password is in no log', async () => {
    const leader = await cluster.activeLeader();
    const since = Date.now();
    expect(await baton(leader, 'transfer', '--yes')).toMatchObject({ code: 0 });
    const successor = await cluster.activeLeader();
    await newLeader(leader, since, successor);
    await cluster.moreBlocks(5);
    for (const { baton: process } of cluster.nodes) {
      expect(await process.kill('SIGTERM')).toBe(0);
      expect(JSON.stringify(process.log)).not.toContain('s3cret');
    }
  });
});
