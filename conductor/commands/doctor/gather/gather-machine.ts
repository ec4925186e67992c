import { databaseDirectory } from '../../../config/folders.js';
import type { Config } from '../../../config/config.js';
import { peersDigest } from '../../../membership/formation.js';
import type { MachineFacts } from '../facts.js';
import { gatherDirectory } from './gather-directory.js';
import { gatherNode } from './gather-node.js';
import { PeerQuestions } from './gather-peers.js';
import { gatherPorts } from './gather-ports.js';

/**
 * Checks everything that `baton run` with this configuration needs, in parallel, each with its own deadline. Changes
 * nothing. Rejects only on unexpected errors.
 */
export async function gatherMachine(config: Config, signal: AbortSignal): Promise<MachineFacts> {
  const { raft, rpc, health, node, execution, witness } = config;
  const questions = new PeerQuestions(config, signal);
  try {
    const [portsOrOwn, directory, peers, nodeFacts] = await Promise.all([
      // One after the other: the ports opened for a moment would be asked who they are.
      questions.alreadyRuns().then((runs) => (runs ? null : gatherPorts(config))),
      gatherDirectory(databaseDirectory(raft), { signal }),
      questions.gatherPeers(),
      witness ? null : gatherNode({ nodeUrl: node.rpcUrl, executionUrl: execution.rpcUrl }, { signal }),
    ]);
    return {
      serverId: raft.serverId,
      peersDigest: raft.peers.length === 0 ? null : peersDigest(raft.peers),
      retentionBytes: raft.retentionBytes,
      timing: raft.timing,
      rpcPort: rpc.listenPort,
      limits: {
        unsafeIntervalSeconds: health.unsafeIntervalSeconds,
        minPeerCount: health.minPeerCount,
      },
      alreadyRuns: portsOrOwn === null,
      ports: portsOrOwn ?? [],
      directory,
      peers,
      node: nodeFacts,
    };
  } finally {
    await questions.close();
  }
}
