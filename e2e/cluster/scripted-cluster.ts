import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pickPorts } from '../devnet/devnet-process.js';
import { BatonProcess } from './baton-process.js';
import { ScriptedNode } from './scripted-node.js';
import { timeline } from './timeline.js';
import { waitFor } from './wait-for.js';

/** Heads of any age are healthy, even that of a scripted node, which was built in 1970. */
const ANY_AGE = ['--healthcheck.unsafe-interval', '9999999999'];

export interface ScriptedMember {
  id: string;
  baton: BatonProcess;
  node: ScriptedNode;
}

/** Baton processes that control scripted nodes: everything beyond Baton gives the test's answers. */
export class ScriptedCluster {
  private readonly started: ScriptedMember[] = [];
  private directory: string | undefined;

  /**
   * @param ids members of the cluster; the first leads
   * @param standbys nodes that belong to no cluster yet
   */
  constructor(
    private readonly ids: readonly string[],
    private readonly standbys: readonly string[],
  ) {}

  /** Empty before the start. */
  get members(): readonly ScriptedMember[] {
    return this.started;
  }

  async start(): Promise<void> {
    const { ids } = this;
    const directory = await mkdtemp(path.join(os.tmpdir(), 'baton-scripted-'));
    this.directory = directory;
    const all = [...ids, ...this.standbys];
    const ports = await pickPorts(2 * all.length);
    const peers = ids.map((id, index) => `${id}@127.0.0.1:${ports[2 * index + 1]}`).join(',');
    for (const [index, id] of all.entries()) {
      const node = await ScriptedNode.start();
      const baton = new BatonProcess({
        id,
        storageDir: path.join(directory, id),
        rpcPort: ports[2 * index] as number,
        consensusPort: ports[2 * index + 1] as number,
        nodeRpc: node.url,
        executionRpc: node.url,
        flags: [...ANY_AGE, ...(ids.includes(id) ? ['--raft.peers', peers] : [])],
      });
      this.started.push({ id, baton, node });
    }
    await Promise.all(this.members.map(({ baton }) => baton.start()));
    await this.lead(ids[0] as string);
  }

  member(id: string): ScriptedMember {
    const member = this.members.find((candidate) => candidate.id === id);
    if (!member) throw new Error(`no member ${id}`);
    return member;
  }

  /** Makes a member the leader, with the only active sequencer, known to all as the leader. */
  async lead(id: string): Promise<void> {
    await waitFor(`${id} to lead`, async () => {
      const running = this.members.filter(({ baton }) => baton.pid !== undefined);
      const known = await Promise.all(
        running.map(({ baton }) => baton.call<{ id: string }>('conductor_leaderWithID')),
      );
      const leader = running.find((member, index) => known[index]?.id === member.id);
      if (!leader) return undefined;
      if (leader.id !== id) {
        await leader.baton.call('conductor_transferLeaderToServer', [id, '']);
        return undefined;
      }
      const agreed = known.every((found) => found.id === id || found.id === '');
      const active = running.filter(({ node }) => node.active).map((member) => member.id);
      return agreed && active.join() === id;
    });
  }

  /** Recent logs of all processes, for a failed test. */
  report(): string {
    return timeline(this.members.map(({ baton }) => baton));
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ baton }) => baton.dispose()));
    for (const { node } of this.members) node.stop();
    if (this.directory !== undefined) await rm(this.directory, { recursive: true, force: true });
  }
}
