import { NameServer } from '../cluster/name-server.js';
import { Namespaces } from '../cluster/namespaces.js';
import type { Environment } from './environment.js';

const MACHINES = 3;

/**
 * A machine with its own network for each node. The members of the cluster know each other by names, which our own name
 * server answers. The L1 and this process stay outside.
 */
export class MachinesApart implements Environment {
  readonly here: string;
  readonly machines: Environment['machines'];
  readonly memberHost = nameOf;

  private constructor(
    readonly network: Namespaces,
    readonly nameServer: NameServer,
  ) {
    this.here = network.here;
    this.machines = network.machines;
  }

  static async create(): Promise<MachinesApart> {
    const network = Namespaces.create(MACHINES);
    try {
      const addresses = network.machines.map(({ host }, index) => [nameOf(index), host] as const);
      const nameServer = await NameServer.start(network.here, new Map(addresses));
      await network.resolveAt(network.here);
      return new MachinesApart(network, nameServer);
    } catch (error) {
      network.remove();
      throw error;
    }
  }

  remove(): void {
    void this.nameServer.stop();
    this.network.remove();
  }
}

function nameOf(index: number): string {
  return `sequencer-${index}.test`;
}
