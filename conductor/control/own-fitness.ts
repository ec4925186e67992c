import type { HealthMonitor } from '../../health/health-monitor.js';
import type { ChainState } from '../chain/chain-state.js';
import { encodeEligibility, fitness, Fitness, LAG_OF_OTHER_BRANCH, Strikes } from './eligibility.js';
import type { LocalNode } from './local-node.js';
import { withNodePoll } from './node-poll-health.js';
import type { Switches } from './switches.js';

interface FitnessSources {
  health: Pick<HealthMonitor, 'latest'>;
  localNode: Pick<LocalNode, 'state' | 'branch' | 'commits' | 'notAsking'>;
  chain: Pick<ChainState, 'head'>;
  switches: Pick<Switches, 'active'>;
  /** Why the sequencer cannot be started here; undefined if, as far as known, it can. */
  startTrouble: () => string | undefined;
}

/** How fit this node is to sequence, by all that is known here. */
export class OwnFitness {
  constructor(private readonly sources: FitnessSources) {}

  /** Like op-conductor: healthy until the first check has spoken. */
  get isHealthy(): boolean {
    return this.report?.healthy ?? true;
  }

  /** @param strikes bad health checks in a row that count */
  level(strikes: number): Fitness {
    const { localNode, switches, startTrouble } = this.sources;
    const level = fitness(this.report?.reasons, localNode.state.reachable, switches.active, strikes);
    return startTrouble() === undefined ? level : (Math.min(level, Fitness.impaired) as Fitness);
  }

  /** Committed blocks that the local execution client lacks; negative if it is ahead. */
  get lagBlocks(): number {
    const { chain, localNode } = this.sources;
    if (localNode.branch.otherBranch !== undefined) return LAG_OF_OTHER_BRANCH;
    return (chain.head?.number ?? 0) - (localNode.state.head?.number ?? 0);
  }

  /** This node's report to the leader. */
  get eligibility(): number {
    return encodeEligibility(this.level(Strikes.toStayAway), this.lagBlocks);
  }

  /** Why it is not fit, or its numbers if it is. */
  get reason(): string {
    const { state } = this.sources.localNode;
    if (!state.reachable) return state.reason;
    return this.sources.startTrouble() ?? this.report?.summary ?? 'not checked yet';
  }

  private get report() {
    return withNodePoll(this.sources.health.latest(), this.sources.localNode);
  }
}
