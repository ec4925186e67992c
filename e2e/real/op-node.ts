import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Hex } from 'viem';
import { enode } from './geth.js';
import type { SequencerNode } from './node.js';

/** Files and addresses that all op-nodes of a network share. */
export interface OpNodeSettings {
  opNode: string;
  l1Url: string;
  l1ConfigFile: string;
  rollupConfigFile: string;
  jwtFile: string;
  /** Signs the gossip of the sequencing node. */
  sequencerKey: Hex;
}

/**
 * The command that starts the node's op-node. `stopped`: it waits with its sequencer until somebody starts it. `alone`: it
 * has no conductor.
 */
export function opNodeCommand(
  settings: OpNodeSettings,
  node: SequencerNode,
  all: readonly SequencerNode[],
  { stopped, alone }: { stopped: boolean; alone: boolean },
): string[] {
  const peers = all.filter((other) => other !== node).map((other) => peerAddress(settings.opNode, other));
  const { host } = node.machine;
  const port = `${node.nodePeerPort}`;
  return [
    ...[settings.opNode, '--log.level', 'info', '--rollup.config', settings.rollupConfigFile],
    ...[
      '--l1',
      settings.l1Url,
      '--l1.trustrpc',
      '--l1.beacon.ignore',
      '--rollup.l1-chain-config',
      settings.l1ConfigFile,
    ],
    ...['--l1.http-poll-interval', '1s', '--l1.epoch-poll-interval', '6s', '--verifier.l1-confs', '0'],
    ...['--l2', `http://127.0.0.1:${node.enginePort}`, '--l2.jwt-secret', settings.jwtFile],
    ...['--rpc.addr', host, '--rpc.port', `${node.nodePort}`, '--rpc.enable-admin'],
    ...['--sequencer.enabled', '--sequencer.l1-confs', '0', ...(stopped ? ['--sequencer.stopped'] : [])],
    ...(alone ? [] : ['--conductor.enabled', '--conductor.rpc', node.witnessUrl]),
    ...['--p2p.listen.ip', host, '--p2p.listen.tcp', port, '--p2p.listen.udp', port],
    ...['--p2p.priv.raw', node.nodePeerKey.slice(2), '--p2p.sequencer.key', settings.sequencerKey],
    ...['--p2p.peerstore.path', 'memory', '--p2p.discovery.path', 'memory', '--p2p.static', peers.join(',')],
    ...['--p2p.no-discovery', '--p2p.scoring', 'none', '--p2p.ban.peers=false'],
    // Never used, but without one op-node asks the DNS for public boot nodes.
    ...['--p2p.bootnodes', enode(node)],
    ...['--safedb.path', path.join(node.folder, 'safedb')],
  ];
}

/** libp2p address of the node's op-node; op-node itself derives the peer id from the key. */
function peerAddress(opNode: string, node: SequencerNode): string {
  const derived = spawnSync(opNode, ['p2p', 'priv2id'], { input: node.nodePeerKey, encoding: 'utf8' });
  if (derived.status !== 0) throw new Error(`op-node p2p priv2id failed: ${derived.stderr}`);
  return `/ip4/${node.machine.host}/tcp/${node.nodePeerPort}/p2p/${derived.stdout.trim()}`;
}
