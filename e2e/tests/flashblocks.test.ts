import { afterAll, beforeAll, expect } from '@jest/globals';
import { FakeUpstream } from '../../rpc/flashblocks/testing/fake-upstream.js';
import { Listener } from '../../rpc/flashblocks/testing/listener.js';
import type { BatonProcess } from '../cluster/baton-process.js';
import { waitFor } from '../cluster/wait-for.js';
import { describeConductors } from './describe-cluster.js';

const FRAME_INTERVAL_MS = 10;

interface Frame {
  from: string;
  number: number;
}

/** Each conductor has a builder that streams all the time, and one client, as op-conductor's docs advise. */
describeConductors('flashblocks of a cluster of three', {}, (conductors, scenario) => {
  const upstreams = new Map<string, FakeUpstream>();
  const listeners = new Map<string, Listener>();
  /** The last frame that the builders sent; all count in step. */
  let number = 0;
  let ticking: NodeJS.Timeout | undefined;

  const flagsOf = (id: string): string[] => [
    ...['--paused', '--raft.peers', conductors.peers()],
    ...['--rollupboost.ws-url', upstreams.get(id)!.url],
    ...['--websocket.server-addr', '127.0.0.1', '--websocket.server-port', '0'],
  ];

  const start = async (id: string): Promise<void> => {
    const baton = await conductors.start(id, flagsOf(id));
    const line = baton.log.findLast(({ msg }) => msg === 'started');
    listeners.get(id)?.stop();
    listeners.set(id, await Listener.connect(line?.['webSocketPort'] as number));
  };

  const framesAt = (id: string): Frame[] =>
    listeners.get(id)!.frames.map(({ data }) => JSON.parse(data.toString()) as Frame);

  /** Waits until this node's client gets frames that were sent after now. */
  const flowsAt = async (id: string): Promise<void> => {
    const since = number;
    await waitFor(`frames at ${id}`, () => framesAt(id).some((frame) => frame.number > since));
  };

  /** Once this node has denied that it leads, no later frame of its builder reaches its client. */
  const expectSilence = async (id: string, since: number): Promise<void> => {
    const leader = await conductors.leader();
    await flowsAt(leader.id);
    await waitFor('more frames', () => number > since + 20);
    await flowsAt(leader.id);
    expect(framesAt(id).filter((frame) => frame.number > since)).toEqual([]);
  };

  const deposed = (baton: BatonProcess): Promise<number> =>
    waitFor(`${baton.id} not to lead`, async () =>
      (await baton.call<boolean>('conductor_leader')) ? undefined : number,
    );

  beforeAll(async () => {
    for (const id of conductors.ids) upstreams.set(id, await FakeUpstream.start());
    ticking = setInterval(() => {
      number += 1;
      for (const [from, upstream] of upstreams) upstream.send(JSON.stringify({ from, number }));
    }, FRAME_INTERVAL_MS);
    await Promise.all(conductors.ids.map(start));
  });
  afterAll(async () => {
    clearInterval(ticking);
    for (const listener of listeners.values()) listener.stop();
    for (const upstream of upstreams.values()) await upstream.stop();
  });

  scenario('come from the leader alone, each from its own builder', async () => {
    const leader = await conductors.leader();
    await flowsAt(leader.id);
    for (const id of conductors.ids) {
      const frames = framesAt(id);
      expect(new Set(frames.map(({ from }) => from))).toEqual(new Set(id === leader.id ? [id] : []));
      const numbers = frames.map((frame) => frame.number);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });

  scenario('follow a transfer', async () => {
    const old = await conductors.leader();
    const next = conductors.ids.find((id) => id !== old.id)!;
    const before = number;
    await conductors.makeLeader(next);
    const since = await deposed(old);
    await flowsAt(next);
    expect(framesAt(next)[0]!.number).toBeGreaterThan(before);
    await expectSilence(old.id, since);
  });

  scenario('follow the death of the leader, and its client may come back', async () => {
    const killed = await conductors.leader();
    await killed.kill();
    await waitFor('the connection to end', () => listeners.get(killed.id)!.closed);
    const successor = await conductors.leader();
    await flowsAt(successor.id);
    await start(killed.id);
    await expectSilence(killed.id, 0);
  });

  scenario('do not come from a leader that was frozen while another was elected', async () => {
    const frozen = await conductors.leader();
    const since = await (async () => {
      frozen.signal('SIGSTOP');
      try {
        const others = conductors.ids.filter((id) => id !== frozen.id).map((id) => conductors.get(id));
        const successor = await waitFor('a successor', async () => {
          const answers = await Promise.all(others.map((baton) => baton.call<boolean>('conductor_leader')));
          return others.find((_, at) => answers[at]);
        });
        const elected = number;
        // Frames for the frozen one wait in the kernel.
        await flowsAt(successor.id);
        return elected;
      } finally {
        frozen.signal('SIGCONT');
      }
    })();
    await deposed(frozen);
    await expectSilence(frozen.id, since);
  });

  scenario('come from any node whose leadership is overridden', async () => {
    const leader = await conductors.leader();
    const other = conductors.get(conductors.ids.find((id) => id !== leader.id)!);
    await other.call('conductor_overrideLeader', [true]);
    await flowsAt(other.id);
    await other.call('conductor_overrideLeader', [false]);
    await expectSilence(other.id, await deposed(other));
  });
});
