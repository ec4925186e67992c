import path from 'node:path';
import { generatePrivateKey } from 'viem/accounts';
import type { Hex } from 'viem';
import { freePorts } from './ports.js';

/** One sequencer node: an execution client, an op-node and a conductor, with all their addresses. */
export interface SequencerNode {
  index: number;
  /** Also the server id in the cluster. */
  name: string;
  folder: string;
  /** Chain data is apart from the rest, because it is large and removed even when a run fails. */
  chainFolder: string;
  executionPort: number;
  enginePort: number;
  executionPeerPort: number;
  nodePort: number;
  nodePeerPort: number;
  conductorPort: number;
  consensusPort: number;
  witnessPort: number;
  /** Of the conductor. */
  metricsPort: number;
  executionUrl: string;
  nodeUrl: string;
  conductorUrl: string;
  /** Where op-node finds its conductor: a witness (commit-witness.ts) passes everything on. */
  witnessUrl: string;
  consensusAddress: string;
  executionPeerKey: Hex;
  nodePeerKey: Hex;
}

const PORTS_PER_NODE = 9;

/** Plans `count` nodes below `folder`; nothing is started or written. */
export async function planNodes(count: number, folder: string): Promise<SequencerNode[]> {
  const ports = await freePorts(count * PORTS_PER_NODE);
  const take = (): number => ports.pop() ?? 0;
  return Array.from({ length: count }, (_, index) => {
    const [executionPort, nodePort, conductorPort, consensusPort] = [take(), take(), take(), take()];
    const [witnessPort, metricsPort] = [take(), take()];
    return {
      index,
      name: `sequencer-${index}`,
      folder: path.join(folder, `sequencer-${index}`),
      chainFolder: path.join(folder, 'chain', `sequencer-${index}`),
      executionPort,
      enginePort: take(),
      executionPeerPort: take(),
      nodePort,
      nodePeerPort: take(),
      conductorPort,
      consensusPort,
      witnessPort,
      metricsPort,
      executionUrl: `http://127.0.0.1:${executionPort}`,
      nodeUrl: `http://127.0.0.1:${nodePort}`,
      conductorUrl: `http://127.0.0.1:${conductorPort}`,
      witnessUrl: `http://127.0.0.1:${witnessPort}`,
      consensusAddress: `127.0.0.1:${consensusPort}`,
      executionPeerKey: generatePrivateKey(),
      nodePeerKey: generatePrivateKey(),
    };
  });
}
