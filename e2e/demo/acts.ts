import type { ClusterNode, ProcessCluster } from '../cluster/process-cluster.js';
import { waitFor } from '../cluster/wait-for.js';
import type { CommittedLedger } from './committed-ledger.js';
import { measureHandover, show, type Handover } from './handover.js';
import { inMs, type Screen } from './screen.js';
import type { Watcher } from './watcher.js';

/** What the acts work with. */
export interface Stage {
  cluster: ProcessCluster;
  watcher: Watcher;
  ledger: CommittedLedger;
  screen: Screen;
  blockTimeMs: number;
  /** Rows of the summary. */
  handovers: string[][];
  returns: string[][];
}

const WITHIN_MS = 30_000;
const BLOCKS_AT_FIRST = 5;
const BLOCKS_BETWEEN_ACTS = 4;
/** Differences below this are noise. */
const NOISE_MS = 50;

/** The whole demo. Rejects with the first failure. */
export async function play(stage: Stage): Promise<void> {
  const { id } = await stage.cluster.activeLeader(WITHIN_MS);
  stage.screen.tell(`The cluster has formed: ${id} leads, and its op-node builds blocks.`);
  await moreBlocks(stage, BLOCKS_AT_FIRST);
  const killed = await killLeader(stage);
  await moreBlocks(stage, BLOCKS_BETWEEN_ACTS);
  await bringBack(stage, killed);
  await moreBlocks(stage, BLOCKS_BETWEEN_ACTS);
  await transferLeadership(stage);
  await moreBlocks(stage, BLOCKS_BETWEEN_ACTS);
  const stopped = await stopLeader(stage);
  await moreBlocks(stage, BLOCKS_BETWEEN_ACTS);
  await startBatonAgain(stage, stopped);
  await moreBlocks(stage, BLOCKS_BETWEEN_ACTS);
}

/** Returns the node that is down now. */
async function killLeader(stage: Stage): Promise<ClusterNode> {
  const { cluster, screen } = stage;
  screen.title("Act 1: kill -9 of the leader's whole node: Baton, op-node and execution client at once");
  const handover = await measureHandover(stage, (leader) => cluster.killMachine(leader));
  tellHandover(stage, "kill -9 of the leader's node", 'the kill', handover);
  return handover.from;
}

async function bringBack(stage: Stage, node: ClusterNode): Promise<void> {
  const { screen, watcher, ledger, returns } = stage;
  screen.title(`Act 2: the killed node, ${node.id}, is started again`);
  const startedAtMs = Date.now();
  await node.devnet.restart();
  const { head } = await watcher.look(node);
  await node.baton.start();
  const batonUpAtMs = Date.now();
  const missing = (ledger.highest?.number ?? 0) - head.number;
  screen.tell(`The chain of ${node.id} ends at ${show(head)}: ${missing} blocks are missing.`);
  await isBack(stage, node);
  const [back, sinceUp] = [inMs(Date.now() - startedAtMs), inMs(Date.now() - batonUpAtMs)];
  screen.tell(
    `${node.id} is back in the cluster, healthy and with all blocks, ${sinceUp} after its Baton was up`,
  );
  screen.tell(`and ${back} after the start of its processes.`);
  returns.push(['return of the killed node', node.id, back, sinceUp, String(missing)]);
}

async function transferLeadership(stage: Stage): Promise<void> {
  stage.screen.title('Act 3: conductor_transferLeader, called on the leader');
  const handover = await measureHandover(stage, (leader) => leader.baton.call('conductor_transferLeader'));
  tellHandover(stage, 'conductor_transferLeader', 'the call', handover);
  await isStandby(handover.from);
}

/** Returns the node whose Baton is down now. */
async function stopLeader(stage: Stage): Promise<ClusterNode> {
  stage.screen.title("Act 4: SIGTERM to the leader's Baton, while its op-node runs on");
  const handover = await measureHandover(stage, async (leader) => {
    const code = await leader.baton.kill('SIGTERM');
    if (code !== 0) throw new Error(`the Baton of ${leader.id} ended with ${code} on SIGTERM`);
  });
  tellHandover(stage, "SIGTERM of the leader's Baton", 'the signal', handover);
  await isStandby(handover.from);
  return handover.from;
}

async function startBatonAgain(stage: Stage, node: ClusterNode): Promise<void> {
  stage.screen.title(`Act 5: the stopped Baton, that of ${node.id}, is started again`);
  const startedAtMs = Date.now();
  await node.baton.start();
  const batonUpAtMs = Date.now();
  await isBack(stage, node);
  const [back, sinceUp] = [inMs(Date.now() - startedAtMs), inMs(Date.now() - batonUpAtMs)];
  stage.screen.tell(`${node.id} is back in the cluster and healthy, ${sinceUp} after its Baton was up.`);
  stage.returns.push(['return of the stopped Baton', node.id, back, sinceUp, '-']);
}

/** Waits for this many blocks, and until the chain has caught up with the clock and all running nodes are healthy. */
async function moreBlocks({ cluster, watcher, ledger, blockTimeMs }: Stage, count: number): Promise<void> {
  const wanted = (ledger.highest?.number ?? 0) + count;
  await waitFor(
    `block ${wanted}, up to date and with healthy nodes`,
    () => {
      const { number, timestamp } = ledger.highest ?? { number: 0, timestamp: 0 };
      const isUpToDate = timestamp * 1000 + blockTimeMs > Date.now();
      const running = cluster.nodes.filter(({ baton }) => baton.pid !== undefined);
      const isHealthy = running.every((node) => watcher.view(node).conductor?.healthy);
      return number >= wanted && isUpToDate && isHealthy;
    },
    count * blockTimeMs + WITHIN_MS,
  );
}

/** Waits until a restarted node knows the leader, is healthy, and has every committed block. */
async function isBack({ cluster, ledger }: Stage, node: ClusterNode): Promise<void> {
  await waitFor(
    `${node.id} to be back`,
    async () => {
      const [{ head }, leader, healthy] = await Promise.all([
        node.devnet.state(),
        node.baton.call<{ id: string }>('conductor_leaderWithID'),
        node.baton.call<boolean>('conductor_sequencerHealthy'),
      ]);
      const hasLeader = cluster.nodes.some(({ id }) => id === leader.id);
      const hasAllBlocks = head.number >= (ledger.highest?.number ?? 0);
      return hasLeader && hasAllBlocks && healthy;
    },
    WITHIN_MS,
  );
}

/** There must not be two sequencers: the old one must be stopped, although its op-node keeps running. */
async function isStandby(node: ClusterNode): Promise<void> {
  await waitFor(
    `the sequencer of ${node.id} to stop`,
    async () => !(await node.devnet.state()).active,
    WITHIN_MS,
  );
}

function tellHandover(
  { screen, handovers, blockTimeMs }: Stage,
  what: string,
  since: string,
  it: Handover,
): void {
  const [started, committed] = [inMs(it.startedMs), inMs(it.committedMs)];
  const slot = slotOf(it.lateMs, blockTimeMs);
  screen.tell(`${it.from.id} led; now ${it.to.id} does. Its sequencer ran ${started} after ${since}, and`);
  screen.tell(`its first block was committed ${committed} after ${since}: ${slot}.`);
  screen.tell(`It is ${show(it.block)}; its parent is the last committed one, ${show(it.parent)}.`);
  handovers.push([what, `${it.from.id} -> ${it.to.id}`, started, committed, slot]);
}

function slotOf(lateMs: number, blockTimeMs: number): string {
  if (lateMs < NOISE_MS) return 'on time, no slot missed';
  const missed = Math.floor(lateMs / blockTimeMs);
  return missed === 0
    ? `${inMs(lateMs)} late, no slot missed`
    : `${inMs(lateMs)} late, slots missed: ${missed}`;
}
