import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Conductors } from '../cluster/conductors.js';
import { ProcessCluster, type ClusterOptions } from '../cluster/process-cluster.js';

/** Processes that tests run on. They exist before they are started, so that tests can be defined on them. */
interface Processes {
  /** Recent logs of all of them. */
  report(): string;
  stop(): Promise<void>;
}

/** Defines a test on running processes: when it fails, their logs are printed. */
export type Scenario = (name: string, body: () => Promise<void>) => void;

const SCENARIO_WITHIN_MS = 90_000;

/** Options of a cluster for most tests. */
const USUAL: ClusterOptions = { size: 3, blockTimeMs: 200, formation: 'peers' };

/** Options of a cluster in which only the test moves leadership, not a busy machine. */
export const STEADY = { flags: ['--raft.heartbeat-timeout', '1s'] };

type DescribeProcesses = <P extends Processes>(
  name: string,
  processes: P,
  start: (processes: P) => Promise<unknown>,
  define: (processes: P, scenario: Scenario) => void,
) => void;

const describeProcessesBy =
  (describer: typeof describe.skip): DescribeProcesses =>
  (name, processes, start, define) =>
    describer(name, () => defineOn(processes, start, define));

/** Defines scenarios, one after the other on the same processes: started before the first, stopped after the last. */
export const describeProcesses = Object.assign(describeProcessesBy(describe), {
  skip: describeProcessesBy(describe.skip),
});

type DescribeCluster = (
  name: string,
  /** Deviations from the usual options; a function is called just before the start. */
  options: Partial<ClusterOptions> | (() => Partial<ClusterOptions> | Promise<Partial<ClusterOptions>>),
  define: (cluster: ProcessCluster, scenario: Scenario) => void,
) => void;

function describeClusterBy(describer: typeof describe.skip): DescribeCluster {
  return (name, options, define) => {
    const start = async (cluster: ProcessCluster): Promise<unknown> =>
      cluster.start({ ...USUAL, ...(typeof options === 'function' ? await options() : options) });
    describer(name, () => defineOn(new ProcessCluster(), start, define));
  };
}

/** Defines scenarios on a cluster of processes: three nodes with blocks every 200 ms, unless told otherwise. */
export const describeCluster = Object.assign(describeClusterBy(describe), {
  skip: describeClusterBy(describe.skip),
});

interface ConductorsOptions {
  ids?: readonly string[];
  /** All of them start as one cluster, with these flags; without flags, none is started. */
  clusterFlags?: readonly string[];
  /** Timestamp of the genesis block behind them, in seconds. */
  genesisTime?: number;
}

/** Defines scenarios on Batons without sequencers. */
export function describeConductors(
  name: string,
  { ids, clusterFlags, genesisTime }: ConductorsOptions,
  define: (conductors: Conductors, scenario: Scenario) => void,
): void {
  const start = (conductors: Conductors): Promise<void> =>
    clusterFlags ? conductors.startCluster(clusterFlags) : conductors.prepare();
  describeProcesses(name, new Conductors(ids, genesisTime), start, define);
}

function defineOn<P extends Processes>(
  processes: P,
  start: (processes: P) => Promise<unknown>,
  define: (processes: P, scenario: Scenario) => void,
): void {
  const reporting = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      console.error(`${what}\n${processes.report()}`);
      throw error;
    }
  };
  beforeAll(() => reporting('the start', () => start(processes)));
  afterAll(() => processes.stop());
  define(processes, (name, body) => it(name, () => reporting(name, body), SCENARIO_WITHIN_MS));
}
