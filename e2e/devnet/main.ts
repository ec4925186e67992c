import { Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { NODE_DEFAULTS, startNode, type NodeInput } from './node.js';

/** The line on stdout that says where a node listens. */
export interface ReadyLine {
  ready: true;
  name: string;
  pid: number;
  elPort: number;
  nodePort: number;
  p2pPort: number;
  controlPort: number;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('want a number.');
  return value;
}

function list(text: string): string[] {
  return text.split(',').filter((entry) => entry !== '');
}

function numbers(text: string): number[] {
  return list(text).map(number);
}

const defaults = NODE_DEFAULTS;
const program = new Command('devnet-node')
  .description('A simulated op-node and its execution client, for demos and tests of a conductor.')
  .requiredOption('--name <name>', 'name of the node')
  .requiredOption('--data-dir <folder>', 'where the chain is kept')
  .requiredOption('--conductor-rpc <url>', "the node's conductor")
  .requiredOption('--genesis-time <seconds>', 'timestamp of the genesis block', number)
  .option(
    '--conductor-enabled <bool>',
    'false: without a conductor, sequencing from the start',
    (text) => text === 'true',
    defaults.conductorEnabled,
  )
  .option('--host <ip>', 'where all its servers listen', defaults.host)
  .option('--el-port <port>', 'JSON-RPC of the execution client; 0: any', number, defaults.elPort)
  .option('--node-port <port>', 'JSON-RPC of op-node; 0: any', number, defaults.nodePort)
  .option('--p2p-port <port>', 'gossip; 0: any', number, defaults.p2pPort)
  .option('--control-port <port>', 'faults and state; 0: any', number, defaults.controlPort)
  .option('--peers <urls>', 'p2p URLs of all other nodes, with commas', list, defaults.peers)
  .option('--asks-peers <bool>', 'for missing blocks', (text) => text === 'true', defaults.asksPeers)
  .option('--block-time-ms <ms>', 'whole seconds, or under a second', number, defaults.blockTimeMs)
  .option('--chain-id <id>', 'chain id', number, defaults.chainId)
  .option('--l1-block-time <seconds>', 'time between blocks of the L1', number, defaults.l1BlockTime)
  .option('--l1-reorgs <numbers>', 'lowest L1 block of each L1 reorg so far', numbers, defaults.l1Reorgs)
  .option('--payload-bytes <bytes>', 'random calldata in each block', number, defaults.payloadBytes)
  .option(
    '--lose-blocks-on-restart <n>',
    'blocks lost by an unclean stop',
    number,
    defaults.loseBlocksOnRestart,
  )
  .option('--gossip-delay-ms <ms>', 'time that a block is on its way', number, defaults.gossipDelayMs)
  .option('--gossip-loss <share>', 'share of blocks lost, 0 to 1', number, defaults.gossipLoss)
  .option('--seed <n>', 'seed of the dice for losses', number, defaults.seed)
  .option(
    '--conductor-rpc-timeout-ms <ms>',
    "deadline of the conductor's answers",
    number,
    defaults.conductorRpcTimeoutMs,
  )
  .option('--commit-backoff-ms <ms>', 'pause after a failed commit', number, defaults.commitBackoffMs)
  .option('--startup-ms <ms>', 'time in which op-node does not know its chain', number, defaults.startupMs)
  .option('--log-level <level>', 'of the log on stderr', 'warn')
  .option('--exit-with-stdin', 'stop at once when stdin ends, as it does when the parent dies');

const options = program.parse().opts<NodeInput & { logLevel: string; exitWithStdin?: true }>();
const log = pino({ level: options.logLevel, base: { node: options.name } }, pino.destination(2));
const node = await startNode(options, log, () => process.exit(1));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void node.stop().finally(() => process.exit(0)));
}
if (options.exitWithStdin) process.stdin.resume().once('end', () => process.exit(1));
const ready: ReadyLine = { ready: true, name: options.name, pid: process.pid, ...node.ports };
process.stdout.write(`${JSON.stringify(ready)}\n`);
