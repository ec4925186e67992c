import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { privateKeyToAccount } from 'viem/accounts';
import { GAS_LIMIT, L2_CHAIN_ID, type Genesis } from './genesis.js';
import type { SequencerNode } from './node.js';

const run = promisify(execFile);

/** Creates geth's database in `dataFolder` with `genesis`, which is also left as `genesisFile`. */
export async function initGeth(
  geth: string,
  dataFolder: string,
  genesisFile: string,
  genesis: Genesis,
): Promise<void> {
  await writeFile(genesisFile, JSON.stringify(genesis, null, 1));
  await run(geth, ['init', '--datadir', dataFolder, '--state.scheme', 'hash', genesisFile]);
}

/** The L1: geth's developer mode on a genesis of our own, one block every `blockPeriodS` seconds. */
export function l1Command(
  geth: string,
  dataFolder: string,
  host: string,
  port: number,
  enginePort: number,
  blockPeriodS: number,
): string[] {
  return [
    ...[geth, '--dev', '--dev.period', `${blockPeriodS}`],
    ...['--datadir', dataFolder, '--state.scheme', 'hash', '--gcmode', 'archive', '--ipcdisable'],
    ...[
      '--http',
      '--http.addr',
      host,
      '--http.port',
      `${port}`,
      '--http.api',
      'eth,net,web3,debug',
      '--authrpc.port',
      `${enginePort}`,
    ],
  ];
}

/** Writes the peer settings of the node's execution client, then returns the command that starts it. */
export async function executionCommand(
  geth: string,
  node: SequencerNode,
  all: readonly SequencerNode[],
  jwtFile: string,
): Promise<string[]> {
  const { host } = node.machine;
  const configFile = path.join(node.folder, 'geth.toml');
  const peers = all.filter((other) => other !== node).map((other) => `"${enode(other)}"`);
  // Static peers dial each other again after a restart; op-node closes longer gaps through them.
  const peerSettings = [
    '[Node.P2P]',
    `ListenAddr = "${host}:${node.executionPeerPort}"`,
    `StaticNodes = [${peers.join(', ')}]`,
  ];
  await writeFile(configFile, `${peerSettings.join('\n')}\n`);
  return [
    ...[geth, '--config', configFile, '--networkid', `${L2_CHAIN_ID}`],
    ...['--datadir', node.chainFolder, '--state.scheme', 'hash', '--gcmode', 'archive', '--syncmode', 'full'],
    ...[
      '--http',
      '--http.addr',
      host,
      '--http.port',
      `${node.executionPort}`,
      '--http.api',
      'eth,net,web3,debug,txpool,admin',
      '--ipcdisable',
    ],
    ...['--authrpc.port', `${node.enginePort}`, '--authrpc.jwtsecret', jwtFile],
    ...['--nodekeyhex', node.executionPeerKey.slice(2), '--nodiscover', '--nat', `extip:${host}`],
    ...['--rollup.disabletxpoolgossip=true', '--miner.gaslimit', `${GAS_LIMIT}`],
  ];
}

/** The node's execution client as a peer address. */
export function enode(node: SequencerNode): string {
  const publicKey = privateKeyToAccount(node.executionPeerKey).publicKey.slice('0x04'.length);
  return `enode://${publicKey}@${node.machine.host}:${node.executionPeerPort}`;
}
