import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { genesisBlock } from './block.js';
import { ChainStore } from './chain-store.js';
import { ConductorClient } from './conductor-client.js';
import { createControlServer, programsOf, type ControlActions, type NodeState } from './control.js';
import { executionMethods } from './execution-client.js';
import { Faults } from './faults.js';
import { createRpcServer } from './json-rpc.js';
import { originOf, SimulatedL1 } from './l1-info.js';
import { THIS_MACHINE } from './machine.js';
import { Mutex } from './mutex.js';
import { OP_NODE_VERSION, opNodeMethods } from './op-node.js';
import { P2p } from './p2p.js';
import { refOf } from './payload.js';
import { addRollupBoost } from './rollup-boost.js';
import { Sequencer } from './sequencer.js';
import { UnsafeSync } from './unsafe-sync.js';

/** Everything that distinguishes one simulated node from another. For port 0 the system picks one. */
export interface NodeOptions {
  /** Names the node in its logs. */
  name: string;
  /** Keeps the chain over restarts. */
  dataDir: string;
  /** The address on which all its servers listen. */
  host: string;
  /** Execution client's JSON-RPC. */
  elPort: number;
  /** op-node's JSON-RPC. */
  nodePort: number;
  p2pPort: number;
  controlPort: number;
  /** JSON-RPC URL of the node's conductor. */
  conductorRpc: string;
  /** False: op-node runs without a conductor. It publishes without asking, and sequences from its start. */
  conductorEnabled: boolean;
  /** p2p URLs of all other nodes. */
  peers: string[];
  /** Asks its peers for what is missing below a waiting payload. op-node does so only when told to. */
  asksPeers: boolean;
  /** Whole seconds, or less than one second. */
  blockTimeMs: number;
  /** Seconds; with the chain id it determines the genesis block. */
  genesisTime: number;
  chainId: number;
  /** Seconds between the blocks of the L1. */
  l1BlockTime: number;
  /** Reorgs of the L1 before the start, each by the lowest L1 block that it changed. */
  l1Reorgs: number[];
  /** Bytes of random calldata in each block. */
  payloadBytes: number;
  /** Blocks that are gone after a stop that was not clean. */
  loseBlocksOnRestart: number;
  gossipDelayMs: number;
  /** Share of gossiped blocks that get lost, per peer: 0 to 1. */
  gossipLoss: number;
  /** Seed of the dice for losses. */
  seed: number;
  /** op-node's deadline for a call of its conductor. */
  conductorRpcTimeoutMs: number;
  /** Pause of the sequencer after a failed commit. */
  commitBackoffMs: number;
  /** Time after the start in which op-node does not know its chain yet. */
  startupMs: number;
}

/** The defaults of a node: op-node's own values where it has them. */
export const NODE_DEFAULTS = {
  host: THIS_MACHINE.host,
  elPort: 0,
  nodePort: 0,
  p2pPort: 0,
  controlPort: 0,
  conductorEnabled: true,
  peers: [] as string[],
  asksPeers: false,
  blockTimeMs: 1000,
  chainId: 901,
  l1BlockTime: 12,
  l1Reorgs: [] as number[],
  payloadBytes: 0,
  loseBlocksOnRestart: 0,
  gossipDelayMs: 0,
  gossipLoss: 0,
  seed: 1,
  conductorRpcTimeoutMs: 1000,
  commitBackoffMs: 1000,
  startupMs: 0,
};

/** Options of a node. Those with a default are optional. */
export type NodeInput = Omit<NodeOptions, keyof typeof NODE_DEFAULTS> & Partial<NodeOptions>;

/** What op-node has in the place of its conductor when it runs without. */
const NO_CONDUCTOR = { leader: async () => true, commitUnsafePayload: async () => undefined };

/** Where a node listens. */
export interface NodePorts {
  elPort: number;
  nodePort: number;
  p2pPort: number;
  controlPort: number;
}

export interface RunningNode {
  ports: NodePorts;
  state(): NodeState;
  /** Stops cleanly: nothing is lost at the next start. */
  stop(): Promise<void>;
}

/**
 * Starts an op-node and its execution client on loopback, with the sequencer stopped unless there is no conductor: as with
 * a conductor, a node does not remember that it sequenced. `onCrash` is what the crash fault does.
 */
export async function startNode(input: NodeInput, log: Logger, onCrash: () => void): Promise<RunningNode> {
  const options: NodeOptions = { ...NODE_DEFAULTS, ...input };
  const { blockTimeMs, chainId, genesisTime } = options;
  if (!(blockTimeMs > 0) || (blockTimeMs >= 1000 && blockTimeMs % 1000 !== 0)) {
    throw new Error(`block time of ${blockTimeMs} ms: want whole seconds, or less than a second`);
  }
  const faults = new Faults();
  const chain = new ChainStore({
    dataDir: options.dataDir,
    genesis: genesisBlock(chainId, genesisTime),
    loseBlocksAfterCrash: options.loseBlocksOnRestart,
  });
  const l1 = new SimulatedL1(options);
  const eventLoop = new Mutex();
  const conductor = new ConductorClient(options.conductorRpc, options.conductorRpcTimeoutMs, faults);
  const sync = new UnsafeSync(chain, faults, eventLoop, log);
  const p2p = new P2p(
    { ...options },
    faults,
    log,
    (envelope) => sync.receive(envelope),
    (number) => chain.byNumber(number),
  );
  const gapCheck = setInterval(() => {
    if (options.asksPeers && sync.gap) void p2p.request(sync.gap);
  }, 2 * blockTimeMs);
  const readyAtMs = Date.now() + options.startupMs;
  const hasPrestate = () => Date.now() >= readyAtMs;
  const parts = { chain, conductor, sync, p2p, l1, faults, log, hasPrestate };
  const asked = options.conductorEnabled ? conductor : NO_CONDUCTOR;
  const sequencer = new Sequencer(options, { ...parts, conductor: asked, eventLoop, gossip: p2p });
  // op-node begins with a reset, because L1 may have had a reorg while it was down.
  await sequencer.reset();
  if (!options.conductorEnabled) await sequencer.start(refOf(chain.unsafeHead).hash);

  const node = createRpcServer(
    opNodeMethods({ ...parts, sequencer, chainId, blockTimeMs, conductorEnabled: options.conductorEnabled }),
    'op-node',
    faults,
  );
  node.get('/healthz', () => ({ version: OP_NODE_VERSION }));
  const execution = createRpcServer(
    executionMethods(chain, chainId, () => faults.executionPeers ?? p2p.connectedPeers()),
    'execution',
    faults,
  );
  addRollupBoost(execution, faults);
  const state = (): NodeState => ({
    name: options.name,
    head: refOf(chain.head),
    unsafeHead: refOf(chain.unsafeHead),
    l1Origin: originOf(chain.unsafeHead.executionPayload.transactions)?.number ?? 0,
    sealed: sequencer.latestSealed ?? null,
    pending: sequencer.pending ?? null,
    active: sequencer.active,
    leaderOverridden: conductor.overridden,
    connectedPeers: p2p.connectedPeers(),
    hung: faults.hung,
    counts: { ...sequencer.counts, ...sync.counts, waiting: sync.waiting },
  });
  const actions = controlActions({ chain, conductor, faults, l1, p2p, sequencer, onCrash });
  const control = createControlServer(actions, state, (from) => chain.refsFrom(from));

  const shutDown = async () => {
    faults.resume();
    clearInterval(gapCheck);
    await Promise.all([node.close(), execution.close(), control.close(), p2p.stop()]);
    await sequencer.halt();
    await sync.settle();
    await eventLoop.run(() => chain.close());
  };
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= shutDown());
  try {
    const ports = {
      elPort: await listen(execution, options.host, options.elPort),
      nodePort: await listen(node, options.host, options.nodePort),
      p2pPort: await listen(p2p.server, options.host, options.p2pPort),
      controlPort: await listen(control, options.host, options.controlPort),
    };
    return { ports, state, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listen(server: FastifyInstance, host: string, port: number): Promise<number> {
  await server.listen({ host, port });
  return (server.server.address() as { port: number }).port;
}

interface Controlled {
  chain: ChainStore;
  conductor: ConductorClient;
  faults: Faults;
  l1: SimulatedL1;
  p2p: P2p;
  sequencer: Sequencer;
  onCrash: () => void;
}

function controlActions({
  chain,
  conductor,
  faults,
  l1,
  p2p,
  sequencer,
  onCrash,
}: Controlled): ControlActions {
  return {
    crash: onCrash,
    hang: ({ target, ms }) => {
      faults.hang(programsOf(target));
      if (ms !== undefined) setTimeout(() => faults.resume(), ms).unref();
    },
    resume: () => faults.resume(),
    'stop-gossip': () => (faults.gossipStopped = true),
    'resume-gossip': () => (faults.gossipStopped = false),
    'fall-behind': ({ blocks }) => {
      chain.forgetAbove(refOf(chain.head).number - blocks);
      void sequencer.reset();
    },
    'lose-peers': () => (faults.peersLost = true),
    'regain-peers': () => (faults.peersLost = false),
    'slow-rpc': ({ ms, target }) => {
      for (const program of programsOf(target)) faults.slowMs[program] = ms;
    },
    'rollup-boost': ({ health }) => (faults.rollupBoost = health),
    'execution-peers': ({ count }) => (faults.executionPeers = count ?? undefined),
    'safe-lag': ({ blocks }) => (faults.safeLagBlocks = blocks ?? undefined),
    fail: ({ method, error }) => {
      if (error === null) faults.failing.delete(method);
      else faults.failing.set(method, error);
    },
    'drop-commit-answers': ({ count }) => (faults.commitAnswersToDrop = count),
    'abandon-commits': ({ count }) => (faults.commitsToAbandon = count),
    reseal: ({ on }) => (faults.resealing = on),
    reorg: ({ from }) => {
      l1.reorg(from);
      void sequencer.reset();
    },
    peers: ({ peers }) => p2p.setPeers(peers),
    conductor: ({ rpc }) => (conductor.url = rpc),
  };
}
