import path from 'node:path';
import { generatePrivateKey } from 'viem/accounts';
import type { Hex } from 'viem';
import type { Machine } from '../devnet/machine.js';
import { freePorts } from './ports.js';
import type { Environment } from './environment.js';

/** One sequencer node: an execution client, an op-node and a conductor, with all their addresses. */
export interface SequencerNode {
  index: number;
  /** Also the server id in the cluster. */
  name: string;
  /** Where its programs run. */
  machine: Machine;
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

/** Plans a node for each machine, below `folder`; nothing is started or written. */
export async function planNodes(
  { machines, here, memberHost }: Environment,
  folder: string,
): Promise<SequencerNode[]> {
  const ports = await freePorts(machines.length * PORTS_PER_NODE);
  const take = (): number => ports.pop() ?? 0;
  return machines.map((machine, index) => {
    const { host } = machine;
    const [executionPort, nodePort, conductorPort, consensusPort] = [take(), take(), take(), take()];
    const [witnessPort, metricsPort] = [take(), take()];
    return {
      index,
      name: `sequencer-${index}`,
      machine,
      folder: path.join(folder, `sequencer-${index}`),
      chainFolder: path.join(folder, 'chain', `sequencer-${index}`),
      executionPort,
      enginePort: take(),
      executionPeerPort: take(),
      nodePort,
      nodePeerPort: take(),
      conductorPort,
      consensusPort,
      metricsPort,
      executionUrl: `http://${host}:${executionPort}`,
      nodeUrl: `http://${host}:${nodePort}`,
      conductorUrl: `http://${host}:${conductorPort}`,
      witnessUrl: `http://${here}:${witnessPort}`,
      consensusAddress: `${memberHost(index)}:${consensusPort}`,
      executionPeerKey: generatePrivateKey(),
      nodePeerKey: generatePrivateKey(),
    };
  });
}
