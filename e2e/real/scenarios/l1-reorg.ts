import { numberToHex, type Hex } from 'viem';
import { metric } from '../conductor.js';
import { call } from '../json-rpc.js';
import { DEADLINE_MS, inSeconds, step, type Stage } from '../stage.js';
import { settled } from '../verify.js';
import { blocksFlow } from './waits.js';

const RESET_MS = 90_000;
const FLOW_AGAIN_MS = 120_000;
const RESETS = 'op_conductor_chain_resets_total';
const EVIDENCE = 'evidence="clients-left"';
const DEPTH_BLOCKS = 4;

/**
 * L1 replaces its newest blocks, so blocks that derive from the old ones are void. Every op-node walks its unsafe head back
 * below them. Published blocks are taken back, but only by a reset entry in the log.
 */
export async function l1Reorg(stage: Stage): Promise<void> {
  const { network, say } = stage;
  await settled(stage, network.nodes);
  const earlier = network.resets().length;
  // op-node gives up when L1 takes back what was final.
  const tip = await step(say, 'L1 can lose blocks that are not final', () =>
    network.waitFor('L1 to be beyond its last final block', () => notFinalTip(network.l1Url), DEADLINE_MS),
  );
  const at = performance.now();
  const head = network.seen.highest();
  await call(network.l1Url, 'debug_setHead', [numberToHex(tip - DEPTH_BLOCKS)], 20_000);
  say(`set L1 back from block ${tip} to ${tip - DEPTH_BLOCKS}, while L2 was at ${head}`);
  await network.waitFor(
    'every conductor to tell and count a reset',
    async () => {
      if (network.resets().length < earlier + network.nodes.length) return false;
      const counts = await Promise.all(network.nodes.map((node) => metric(node, RESETS, EVIDENCE)));
      return counts.every((count) => count > 0);
    },
    RESET_MS,
  );
  const [reset] = network.resets().slice(earlier);
  say(
    `the committed head went from ${reset?.from.number} to ${reset?.to.number} (${reset?.evidence}), ` +
      `${inSeconds(performance.now() - at)} after the reorganisation`,
  );
  await blocksFlow(stage, at, FLOW_AGAIN_MS);
}

/** Number of L1's head if this many blocks can be replaced without a final one among them; undefined while not. */
async function notFinalTip(url: string): Promise<number | undefined> {
  const final = await call<{ number: Hex }>(url, 'eth_getBlockByNumber', ['finalized', false]);
  const tip = Number(await call<Hex>(url, 'eth_blockNumber'));
  return tip - DEPTH_BLOCKS > Number(final.number) ? tip : undefined;
}
