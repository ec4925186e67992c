import { expect } from '@jest/globals';
import { readJsonLines } from '../../common/testing/fixtures.js';
import {
  clusterStatusSchema,
  conductorStatusSchema,
  type ConductorStatus,
} from '../../rpc/server/conductor-status.js';
import { decodeEnvelope } from '../../rpc/payload/decode-envelope.js';
import {
  deviation,
  differences,
  Places,
  readRpcRecording,
  type RecordedCall,
} from '../../rpc/server/testing/rpc-recording.js';
import { sampleEnvelope } from '../../rpc/server/testing/sample-envelope.js';
import { sendHttp, type HttpAnswer, type HttpRequest } from '../../rpc/server/testing/send-http.js';
import { ScriptedCluster, type ScriptedMember } from '../cluster/scripted-cluster.js';
import { ScriptedNode } from '../cluster/scripted-node.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeProcesses } from './describe-cluster.js';

const IDS = ['sequencer-0', 'sequencer-1', 'sequencer-2'] as const;
const STANDBY = 'standby';

/** One line of the recordings of operators' tools and batchers. */
interface Exchange {
  to: string;
  request: HttpRequest;
  response: { status: number; body: string };
}

interface Call {
  id: unknown;
  method: string;
  params?: unknown[];
}

/** Calls whose effect takes a moment to show everywhere in the cluster; programs wait longer than that. */
const SETTLES = new Set(['conductor_resume', 'conductor_transferLeader', 'conductor_transferLeaderToServer']);

const scripted = new ScriptedCluster(IDS, [STANDBY]);
const start = (): Promise<void> => scripted.start();

describeProcesses('recorded clients against three Batons', scripted, start, (cluster, scenario) => {
  const send = (to: ScriptedMember, request: HttpRequest): Promise<HttpAnswer> =>
    sendHttp(to.baton.options.rpcPort, request);

  /** Makes the backends give the answer that the recorded one came from. */
  const scriptBackends = (call: Call | undefined, recorded: string | undefined): void => {
    const prefix = /^\{"jsonrpc":"2\.0","id":[^,]*,/.exec(recorded ?? '')?.[0];
    if (!call || !prefix || !/^(eth|optimism|miner)_/.test(call.method)) return;
    if (recorded!.includes('refusing to proxy') || recorded!.includes('-3260')) return;
    const member = recorded!.trim().slice(prefix.length, -1);
    for (const { node } of cluster.members)
      node.script.set(ScriptedNode.key(call.method, call.params ?? []), member);
  };

  const settled = async (): Promise<void> => {
    await waitFor('the cluster to settle', async () => {
      const running = cluster.members.filter(({ id, baton }) => id !== STANDBY && baton.pid !== undefined);
      const leaders = await Promise.all(
        running.map(({ baton }) => baton.call<{ id: string }>('conductor_leaderWithID')),
      );
      const [leader] = leaders;
      const agreed = leader?.id !== '' && leaders.every(({ id }) => id === leader?.id);
      const active = running.filter(({ node }) => node.active).map(({ id }) => id);
      const paused = await Promise.all(running.map(({ baton }) => baton.call<boolean>('conductor_paused')));
      return agreed && (active.join() === leader?.id || paused.includes(true));
    });
  };

  /** Replays exchanges in order, and checks the answers against the shape of the recorded ones. */
  const replay = async (file: string, before: (exchange: Exchange) => Promise<void>): Promise<void> => {
    const exchanges = readJsonLines<Exchange>(`recordings/${file}`);
    expect(exchanges.length).toBeGreaterThan(30);
    const addresses = recordedAddresses(exchanges);
    for (const [index, exchange] of exchanges.entries()) {
      const { request, response } = exchange;
      const call = JSON.parse(request.body as string) as Call;
      await before(exchange);
      scriptBackends(call, response.body);
      let body = request.body as string;
      for (const [id, address] of addresses)
        body = body.replaceAll(address, cluster.member(id).baton.consensusAddress);
      const answer = await send(cluster.member(exchange.to), { ...request, body });
      const row = `${file} ${index}: ${call.method} to ${exchange.to}`;
      expect([row, answer.status]).toEqual([row, response.status]);
      const ours = JSON.parse(answer.body) as Record<string, unknown>;
      expect([row, shapeProblems(JSON.parse(response.body), ours, ''), ours['id']]).toEqual([
        row,
        [],
        call.id,
      ]);
      // The tool looks for the member, not for its value.
      expect([row, 'error' in ours]).toEqual([row, response.body.includes('"error"')]);
      if (SETTLES.has(call.method)) await settled();
    }
  };

  scenario('the monitor finds the fields that it reads', () =>
    replay('monitor.jsonl', async () => undefined),
  );

  scenario("the operators' tool finds the fields that it reads, and does what it did", async () => {
    await cluster.lead('sequencer-0');
    await replay('operator-cli.jsonl', async () => undefined);
  });

  scenario('the batcher finds the fields that it reads, at the leader only', async () => {
    const exchanges = readJsonLines<Exchange>('recordings/batcher.jsonl');
    let position = 0;
    let leader = '';
    await replay('batcher.jsonl', async () => {
      const answeredBy = exchanges
        .slice(position)
        .find(({ response }) => !response.body.includes('"error"'))?.to;
      position += 1;
      if (answeredBy === undefined || answeredBy === leader) return;
      leader = answeredBy;
      await cluster.lead(leader);
    });
  });

  scenario('rpc.jsonl, in order: the recorded answers, except for the listed differences', async () => {
    await cluster.lead('sequencer-0');
    const [leader, follower, other, standby] = [...IDS, STANDBY].map((id) => cluster.member(id)) as [
      ScriptedMember,
      ScriptedMember,
      ScriptedMember,
      ScriptedMember,
    ];
    const place = ({ id, baton }: ScriptedMember) => ({ id, raft: baton.consensusAddress });
    const places = new Places({
      leader: place(leader),
      follower: place(follower),
      other: place(other),
      standby: { raft: standby.baton.consensusAddress },
    });
    // The membership has a history, like the recorded one: no configuration has version 1 any longer.
    await leader.baton.call('conductor_demoteVoter', [other.id, 0]);
    await leader.baton.call('conductor_addServerAsVoter', [other.id, other.baton.consensusAddress, 0]);
    const version = JSON.parse((await send(leader, get('/healthz'))).body) as { version: string };

    const found: unknown[] = [];
    const recording = readRpcRecording(places);
    for (const [index, call] of recording.entries()) {
      if (call.group === 'conflicting-payload' && recording[index - 1]?.group !== call.group) {
        await haveRecordedHead(leader, call);
      }
      scriptBackends(callOf(call), recorded(recording, call));
      const to = call.to === 'leader' ? leader : follower;
      const answer = await send(to, call.request).catch((error: NodeJS.ErrnoException) => ({
        status: 0,
        contentType: null,
        body: `${error.code}`,
      }));
      const body = answer.body.replaceAll(`"${version.version}"`, '"v0.0.1"');
      const differs =
        call.response.connection === undefined || answer.status !== 0
          ? deviation(call, { ...answer, body }, places)
          : undefined;
      if (differs) found.push({ group: call.group, name: call.name, to: call.to, answer: differs });
      if (call.group === 'stop') {
        await waitFor('it to stop', () => to.baton.log.some(({ msg }) => msg === 'stopped'));
        // The process itself stays until a signal.
        await to.baton.kill('SIGTERM');
      } else if (/^(bad|conflicting)-payload/.test(call.group)) await nodesFollow();
      else if (SETTLES.has(callOf(call)?.method ?? '')) await settled();
    }
    expect(found).toEqual(differences.map(({ group, name, to, answer }) => ({ group, name, to, answer })));
  });

  scenario('a block that comes as SSZ is committed like any other', async () => {
    const running = cluster.members.filter(({ id, baton }) => id !== STANDBY && baton.pid !== undefined);
    const views = await Promise.all(running.map((member) => statusOf(member)));
    const leader = running[views.findIndex(({ role }) => role === 'leader')]!;
    const head = views[0]!.head!;
    const envelope = sampleEnvelope({
      blockNumber: `0x${(head.number + 1).toString(16)}`,
      parentHash: head.hash,
      blockHash: `0x${'88'.repeat(32)}`,
    });
    const body = decodeEnvelope(envelope).ssz;
    const request = { method: 'POST', path: '/commit-unsafe-payload', headers: {}, body };
    expect(await send(leader, request)).toMatchObject({ status: 200, body: '' });
    expect(await leader.baton.call('conductor_commitUnsafePayload', [envelope])).toBeNull();
    for (const { baton } of running) {
      await waitFor('the block on all nodes', async () => {
        const latest = await baton.call<typeof envelope>('conductor_latestUnsafePayload');
        return latest.executionPayload['blockHash'] === envelope.executionPayload['blockHash'];
      });
      expect(await baton.call('conductor_latestUnsafePayload')).toEqual(envelope);
    }
    const follower = running.find((member) => member !== leader)!;
    expect(await send(follower, request)).toMatchObject({
      status: 500,
      body: 'failed to apply payload envelope: node is not the leader\n',
    });
  });

  scenario('conductor_status needs no quorum, conductor_clusterStatus names absent members', async () => {
    const running = cluster.members.filter(({ id, baton }) => id !== STANDBY && baton.pid !== undefined);
    const [last, gone] = running as [ScriptedMember, ScriptedMember];
    expect(running).toHaveLength(2);
    const whole = clusterStatusSchema.parse(await last.baton.call('conductor_clusterStatus'));
    const heads = whole.members.map(({ id, status }) => [id, status?.id, status?.head?.number]);
    const { head } = await statusOf(last);
    expect(heads).toEqual(
      IDS.map((id) =>
        running.some((member) => member.id === id) ? [id, id, head!.number] : [id, undefined, undefined],
      ),
    );

    await gone.baton.kill();
    await waitFor('the leader to be lost', async () => (await statusOf(last)).leader === null);
    const { answeredBy, members } = clusterStatusSchema.parse(
      await last.baton.call('conductor_clusterStatus'),
    );
    expect(answeredBy).toBe(last.id);
    for (const { id, status, error } of members) {
      expect([id, status?.id, error !== '']).toEqual([id, id === last.id ? id : undefined, id !== last.id]);
    }
  });

  const statusOf = async ({ baton }: ScriptedMember): Promise<ConductorStatus> =>
    conductorStatusSchema.parse(await baton.call('conductor_status'));

  /** The cluster's chain has the height of the recorded one, and a head with the same parent. */
  const haveRecordedHead = async (leader: ScriptedMember, sameHeight: RecordedCall): Promise<void> => {
    const { params } = JSON.parse(sameHeight.request.body as string) as {
      params: [ReturnType<typeof sampleEnvelope>];
    };
    const { blockNumber, parentHash } = params[0].executionPayload;
    const head = sampleEnvelope({ blockNumber, parentHash, blockHash: `0x${'77'.repeat(32)}` });
    await leader.baton.call('conductor_commitUnsafePayload', [head]);
    await nodesFollow();
  };

  /** The nodes have the committed blocks, as if a sequencer had built and spread them. */
  const nodesFollow = async (): Promise<void> => {
    const { head } = await statusOf(cluster.members[0]!);
    if (head) for (const { node } of cluster.members) node.head = head as typeof node.head;
  };
});

function get(path: string): HttpRequest {
  return { method: 'GET', path, headers: {}, body: null };
}

function callOf({ request }: RecordedCall): Call | undefined {
  try {
    return JSON.parse(request.body as string) as Call;
  } catch {
    return undefined;
  }
}

/** The backend's answer: followers do not pass it on, so it comes from the leader's row. */
function recorded(recording: readonly RecordedCall[], call: RecordedCall): string | undefined {
  const row = recording.find(({ group, name }) => group === 'proxy-leader' && name === call.name);
  return row?.response.body;
}

/** Consensus addresses by id, from the answers of the recording. */
function recordedAddresses(exchanges: readonly Exchange[]): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const { response } of exchanges) {
    for (const [, id, addr] of response.body.matchAll(/"id":"([^"]+)","addr":"([^"]+)"/g)) {
      if (!id!.startsWith('N/A')) addresses.set(id!, addr!);
    }
  }
  return addresses;
}

/** Where `ours` lacks a member of `theirs`, or has one of another type. */
function shapeProblems(theirs: unknown, ours: unknown, path: string): string[] {
  if (typeof theirs !== 'object' || theirs === null || typeof ours !== 'object' || ours === null) {
    return kindOf(theirs) === kindOf(ours) ? [] : [`${path}: ${kindOf(ours)} instead of ${kindOf(theirs)}`];
  }
  if (Array.isArray(theirs)) {
    if (!Array.isArray(ours)) return [`${path}: no array`];
    if (theirs.length > 0 && ours.length === 0) return [`${path}: empty`];
    return theirs.length === 0
      ? []
      : ours.flatMap((item, i) => shapeProblems(theirs[0], item, `${path}[${i}]`));
  }
  return Object.entries(theirs).flatMap(([name, value]) =>
    name in ours
      ? shapeProblems(value, (ours as Record<string, unknown>)[name], `${path}.${name}`)
      : [`${path}.${name}: missing`],
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
