import { call } from '../json-rpc.js';
import type { SequencerNode } from '../node.js';
import { soleSequencer } from '../roles.js';
import { DEADLINE_MS, inSeconds, type Stage } from '../stage.js';
import { settled } from '../verify.js';
import { blocksFlow, newSequencer } from './waits.js';

const FLOW_AGAIN_MS = 30_000;

/**
 * The leader's op-node hangs, so nobody can stop its sequencer, and another node takes over. When op-node resumes, it still
 * believes that it sequences, from an old head, and leadership returns to it at once.
 */
export async function frozenOpNode(stage: Stage): Promise<void> {
  const { network } = stage;
  const old = await settled(stage, network.nodes);
  const rest = network.nodes.filter((node) => node !== old);
  const frozenAt = performance.now();
  network.freeze(old, 'op-node');
  stage.say(`froze the op-node of ${old.name}`);
  await newSequencer(stage, rest, old, frozenAt);
  await blocksFlow(stage, frozenAt, FLOW_AGAIN_MS);

  const thawedAt = performance.now();
  network.thaw(old, 'op-node');
  await giveLeadershipTo(stage, old);
  stage.say(
    `${old.name} leads and sequences again, ${inSeconds(performance.now() - thawedAt)} after the thaw`,
  );
  await blocksFlow(stage, thawedAt, FLOW_AGAIN_MS);
}

/** Asks the current leader to transfer leadership to this node, repeatedly, until it leads and sequences. */
async function giveLeadershipTo({ network }: Stage, node: SequencerNode): Promise<void> {
  await network.waitFor(
    `${node.name} to lead and sequence`,
    async () => {
      if ((await soleSequencer(network.nodes)) === node) return true;
      if (await call<boolean>(node.conductorUrl, 'conductor_leader')) return false;
      const leader = await call<{ id: string }>(node.conductorUrl, 'conductor_leaderWithID');
      const from = network.nodes.find(({ name }) => name === leader.id);
      if (!from) return false;
      const to = [node.name, node.consensusAddress];
      await call(from.conductorUrl, 'conductor_transferLeaderToServer', to, 15_000);
      return false;
    },
    DEADLINE_MS,
  );
}
