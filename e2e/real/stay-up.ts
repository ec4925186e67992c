import { latestBlock } from './execution.js';
import type { RealNetwork } from './network.js';

/** Starts the network and lets it run for manual tests, prints its addresses, and ends only with the process. */
export async function stayUp(network: RealNetwork, say: (line: string) => void): Promise<never> {
  await network.start();
  await network.resume();
  for (const node of network.nodes) {
    await network.waitFor(
      `${node.name} to have a block`,
      async () => (await latestBlock(node)).number > 0,
      120_000,
    );
  }
  network.startBatcher();
  say(`L1           ${network.l1Url}`);
  for (const node of network.nodes) {
    say(`${node.name}  conductor ${node.conductorUrl}  op-node ${node.nodeUrl}  geth ${node.executionUrl}`);
  }
  say(`user key     ${network.userKey}`);
  say(`logs         ${network.logFolder}`);
  say('running until Ctrl-C');
  return new Promise<never>(() => undefined);
}
