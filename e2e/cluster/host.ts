import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ChildProcess } from '../../common/testing/child-process.js';
import { DevnetProcess } from '../devnet/devnet-process.js';
import { batonCommand } from './baton-process.js';

/** Units that a supervisor runs on a machine. */
export const UNITS = ['op-node', 'baton', 'op-conductor'] as const;
export type Unit = (typeof UNITS)[number];

const KEPT_LINES = 400;
const SHOWN_LINES = 40;

/** Where a machine keeps its things, and its ports on loopback. */
export interface HostPlace {
  id: string;
  directory: string;
  elPort: number;
  nodePort: number;
  p2pPort: number;
  controlPort: number;
  rpcPort: number;
  consensusPort: number;
}

export interface HostOptions {
  blockTimeMs: number;
  genesisTime: number;
  /** p2p URLs of the other op-nodes. */
  peers: string[];
  /** The program behind the unit `op-conductor`. */
  opConductor: string | undefined;
}

/** One machine: op-node with its execution client, and conductors, each a unit with a file of variables as settings. */
export class Host {
  private node: DevnetProcess | undefined;
  private readonly log: string[] = [];
  private readonly conductors = new Map<Unit, ChildProcess>();

  constructor(
    private readonly place: HostPlace,
    private readonly options: HostOptions,
  ) {}

  get id(): string {
    return this.place.id;
  }

  /** @throws Error before op-node was started once */
  get devnet(): DevnetProcess {
    if (!this.node) throw new Error(`op-node of ${this.id} was never started`);
    return this.node;
  }

  get devnetDir(): string {
    return path.join(this.place.directory, 'devnet');
  }

  /** op-node, conductor and consensus, at the addresses for others. */
  get addresses(): { NODE: string; RPC: string; PEER: string } {
    const { nodePort, rpcPort, consensusPort } = this.place;
    return {
      NODE: `http://127.0.0.1:${nodePort}`,
      RPC: `http://127.0.0.1:${rpcPort}`,
      PEER: `127.0.0.1:${consensusPort}`,
    };
  }

  /** Of a shell on this machine: where settings and state are, and the port of its conductor. */
  get environment(): Record<string, string> {
    const { directory, rpcPort } = this.place;
    return { ETC: directory, LIB: path.join(directory, 'lib'), OP_CONDUCTOR_RPC_PORT: String(rpcPort) };
  }

  async prepare(): Promise<void> {
    await mkdir(path.join(this.place.directory, 'lib'), { recursive: true });
  }

  /** Makes the settings of a unit; later additions by a shell win. */
  async configure(unit: Unit, settings: Record<string, string>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(this.settingsFile(unit), lines.join(''));
  }

  /** Settings that a conductor needs here. @param storageDir by its name among the machine's state */
  conductorSettings(storageDir: string): Record<string, string> {
    const { id, rpcPort, consensusPort, elPort, directory } = this.place;
    const settings = {
      // A busy machine must not move leadership: while all are paused, nobody would go on.
      RAFT_HEARTBEAT_TIMEOUT: '1s',
      RAFT_SERVER_ID: id,
      RAFT_STORAGE_DIR: path.join(directory, 'lib', storageDir),
      CONSENSUS_ADDR: '127.0.0.1',
      CONSENSUS_PORT: String(consensusPort),
      CONSENSUS_ADVERTISED: this.addresses.PEER,
      RPC_ADDR: '127.0.0.1',
      RPC_PORT: String(rpcPort),
      NODE_RPC: this.addresses.NODE,
      EXECUTION_RPC: `http://127.0.0.1:${elPort}`,
      HEALTHCHECK_INTERVAL: '1',
      HEALTHCHECK_UNSAFE_INTERVAL: '30',
      HEALTHCHECK_MIN_PEER_COUNT: '1',
    };
    return Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`OP_CONDUCTOR_${name}`, value]),
    );
  }

  /** Resolves when the program runs, which is before it serves. */
  async start(unit: Unit): Promise<void> {
    const settings = await this.settings(unit);
    if (unit === 'op-node') return this.startNode(settings);
    await this.conductor(unit).start(this.commandOf(unit, settings));
  }

  async stop(unit: Unit): Promise<void> {
    if (unit === 'op-node') await this.devnet.stop();
    else await this.conductor(unit).kill('SIGTERM');
  }

  async kill(): Promise<void> {
    await Promise.all([...this.conductors.values()].map((conductor) => conductor.kill()));
    await this.node?.kill();
  }

  report(): string {
    return this.log.slice(-SHOWN_LINES).join('\n');
  }

  private async startNode(settings: Record<string, string>): Promise<void> {
    const conductorEnabled = settings['OP_NODE_CONDUCTOR_ENABLED'] === 'true';
    if (this.node) return this.node.restart({ conductorEnabled });
    const { id, elPort, nodePort, p2pPort, controlPort } = this.place;
    const { blockTimeMs, genesisTime, peers } = this.options;
    this.node = await DevnetProcess.start({
      ...{ name: id, elPort, nodePort, p2pPort, controlPort, blockTimeMs, genesisTime, peers },
      ...{ dataDir: this.devnetDir, conductorRpc: this.addresses.RPC, conductorEnabled },
      // The blocks that a node missed while it did not run.
      asksPeers: true,
    });
  }

  private conductor(unit: Unit): ChildProcess {
    let conductor = this.conductors.get(unit);
    if (!conductor) {
      const name = `${unit} of ${this.id}`;
      conductor = new ChildProcess({
        name,
        onLine: (line) => this.noteLine(name, line),
        report: () => this.report(),
      });
      this.conductors.set(unit, conductor);
    }
    return conductor;
  }

  /** Only variables that are set here reach the unit. */
  private commandOf(unit: Unit, settings: Record<string, string>): string[] {
    const { opConductor } = this.options;
    const program =
      unit === 'baton' ? [...batonCommand(), 'run'] : opConductor === undefined ? [] : [opConductor];
    if (program.length === 0) throw new Error(`there is no ${unit} on this machine`);
    const variables = Object.entries({ PATH: process.env['PATH'] ?? '', ...settings });
    return ['env', '-i', ...variables.map(([name, value]) => `${name}=${value}`), ...program];
  }

  private noteLine(name: string, line: string): boolean {
    this.log.push(`${name}: ${line}`);
    if (this.log.length > KEPT_LINES) this.log.splice(0, KEPT_LINES / 2);
    return true;
  }

  private settingsFile(unit: Unit): string {
    return path.join(this.place.directory, `${unit}.env`);
  }

  private async settings(unit: Unit): Promise<Record<string, string>> {
    const text = await readFile(this.settingsFile(unit), 'utf8');
    const lines = text.split('\n').filter((line) => line.includes('='));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }
}
