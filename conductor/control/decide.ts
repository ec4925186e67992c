import { Fitness } from './eligibility.js';

/** Another voter that answers the leader. */
export interface Successor {
  id: string;
  fitness: Fitness;
  /** As in eligibility.ts; compares closeness to the head as well. */
  eligibility: number;
  /** Blocks that its execution client lacks. */
  lagBlocks: number;
  /** Configured preference as leader, greater is better. */
  priority: number;
  /** A hand-over to it has failed recently. */
  avoided: boolean;
}

/** Importing this many blocks takes longer than a hand-over to a node that has them. */
const FAR_BEHIND_BLOCKS = 16;

/** Why a leader in good health gives leadership away. */
export const HAND_BACK = 'a preferred leader is fit again';

/** Everything that the control loop knows when it decides. */
export interface View {
  paused: boolean;
  /** Operators have decided that no sequencer runs anywhere. */
  halted: boolean;
  stopping: boolean;
  /** There is no local node: this member votes, and leads only until it has handed over. */
  witness: boolean;
  /** This node has founded or joined a cluster. Before that it fences nobody: it knows of no other sequencer. */
  belongsToCluster: boolean;
  /** `elect`: won, but without a commit of its own term; it must not act yet. */
  role: 'leader' | 'elect' | 'follower';
  /** Whether op-node sequences; null while it does not answer. */
  sequencerActive: boolean | null;
  /**
   * Why a sequencer that runs here as the leader's must not go on: it does not build on the committed head, or
   * publishes without its conductor. Undefined if it may go on.
   */
  mustStop: string | undefined;
  /** The local chain has been compared with the committed one since this node began to lead. */
  compared: boolean;
  /** The client is on another branch, or has left the committed chain by itself: committed blocks are not posted to it. */
  stray: boolean;
  /** The client has left the committed chain by itself, and is not back: the blocks that it lacks may soon give way. */
  left: boolean;
  /** Of the local node. */
  fitness: Fitness;
  eligibility: number;
  /** Committed blocks that the local execution client lacks; negative if it is ahead. */
  lagBlocks: number;
  /** Why it is not fit, for the log. */
  healthReason: string;
  /** The local head moved, or the sequencer was started, recently. */
  progressing: boolean;
  /** Leadership is on its way to another member, at a request that did not come from this loop. */
  transferring: boolean;
  /** As leader: the head has not moved and no sequencer was started for long; waiting longer will not help. */
  stuck: boolean;
  /** The retained history does not reach the local head: blocks cannot be posted. */
  historyTooShort: boolean;
  /** The local head has been behind the committed one for so long that gossip will not bring the blocks. */
  lagging: boolean;
  /** A member that is preferred as leader and has been fit for long enough; undefined without one. */
  preferred: string | undefined;
  /** In the order of attempts. */
  successors: readonly Successor[];
}

/** What happens to the local sequencer before a hand-over. */
export type SequencerBefore = 'stop' | 'abandon' | 'leave';

export type Action =
  | { type: 'none'; reason: string }
  /** Bring the local node to the committed head and start its sequencer. */
  | { type: 'start'; reason: string }
  /** `abandon`: its last sealed block does not count, and nobody waits for it. */
  | { type: 'stop'; abandon: boolean; reason: string }
  /** Give leadership away, after the local sequencer was stopped if it can still end its block or must not go on. */
  | { type: 'transfer'; to: string; sequencer: SequencerBefore; reason: string }
  /** Post committed blocks to the local standby. */
  | { type: 'feed'; reason: string };

/**
 * What to do now. Pure: the same view always gives the same action (docs/reference/op-conductor.md §3.1 has the
 * table that it replaces). It looks at facts only, never at what was done before.
 */
export function decide(view: View): Action {
  if (view.stopping) return { type: 'none', reason: 'stopping' };
  if (!view.belongsToCluster) return { type: 'none', reason: 'no cluster yet' };
  // A pause leaves the sequencer to an operator. A witness has none, and the chain does not advance while it leads.
  if (view.paused && !view.witness && !view.halted) return { type: 'none', reason: 'paused' };
  if (view.role === 'elect') return { type: 'none', reason: 'leadership is not complete yet' };
  if (view.halted) return decideWhileHalted(view);
  return view.role === 'leader' ? decideAsLeader(view) : decideAsFollower(view);
}

/**
 * The chain has stopped because an operator wants that: nobody starts it, and its stop is not a reason to move
 * leadership. A pause does not keep a sequencer running against that.
 */
function decideWhileHalted(view: View): Action {
  const reason = 'the cluster is halted';
  const isLeader = view.role === 'leader';
  if (view.sequencerActive === true) {
    return { type: 'stop', abandon: isLeader && view.mustStop !== undefined, reason };
  }
  return isLeader || view.paused ? { type: 'none', reason } : decideAsFollower(view);
}

function decideAsFollower(view: View): Action {
  if (view.witness) return { type: 'none', reason: 'a witness only votes' };
  if (view.sequencerActive === true) return { type: 'stop', abandon: false, reason: 'not the leader' };
  if (view.sequencerActive === null) return { type: 'none', reason: 'the local node does not answer' };
  if (view.lagging && !view.historyTooShort && !view.stray)
    return { type: 'feed', reason: 'the local node lacks blocks' };
  return { type: 'none', reason: 'follower' };
}

function decideAsLeader(view: View): Action {
  if (view.transferring) return { type: 'none', reason: 'a transfer of leadership is under way' };
  // Only to a fitter node: heads that are all old are not a reason to move leadership around. If the chain has stopped
  // for long, the next node, as fit as this one, gets a try (op-conductor #18845).
  const better = view.successors.find(
    ({ fitness, avoided }) =>
      fitness !== Fitness.unfit &&
      // One that cannot take over is no better than a node that can sequence, however it feels.
      !(avoided && view.fitness !== Fitness.unfit) &&
      (view.stuck ? fitness >= view.fitness : view.fitness !== Fitness.fit && fitness > view.fitness),
  );
  const reason = view.stuck ? 'the chain does not advance' : view.healthReason;

  if (view.sequencerActive === true) {
    // None of its blocks can be committed, so only time is lost; it is started again where it belongs.
    if (view.mustStop !== undefined) {
      return better
        ? { type: 'transfer', to: better.id, sequencer: 'abandon', reason: view.mustStop }
        : { type: 'stop', abandon: true, reason: view.mustStop };
    }
    if (view.fitness === Fitness.fit) {
      if (view.preferred !== undefined && view.compared) {
        return { type: 'transfer', to: view.preferred, sequencer: 'stop', reason: HAND_BACK };
      }
      return { type: 'none', reason: view.compared ? 'sequencing' : 'its chain is being compared' };
    }
    // A chain that had stopped has an old head for some time after its sequencer is back.
    if (view.fitness === Fitness.stale && view.progressing) {
      return { type: 'none', reason: 'the chain is catching up' };
    }
    if (!better) return { type: 'none', reason: `nobody is fitter: ${view.healthReason}` };
    // A silent op-node cannot be stopped, and waiting would cost blocks: in op-conductor a hung op-node cost 20 s.
    const sequencer = view.fitness === Fitness.unfit ? 'leave' : 'stop';
    return { type: 'transfer', to: better.id, sequencer, reason };
  }

  if (better) return leaveTo(better, reason);
  if (view.fitness === Fitness.unfit)
    return { type: 'none', reason: `nobody is fitter: ${view.healthReason}` };
  const closer = view.successors.find(({ eligibility }) => eligibility > view.eligibility);
  if (view.historyTooShort && closer) {
    return leaveTo(closer, 'the retained history does not reach the local head and another node is closer');
  }
  // A majority may have left the same blocks as this client. Then a member that still has them must not lead, and would
  // transfer leadership back at once: a member that has left looks for the evidence first.
  const ahead = view.successors.find(
    ({ fitness, lagBlocks }) =>
      !view.left && fitness >= view.fitness && view.lagBlocks - lagBlocks >= FAR_BEHIND_BLOCKS,
  );
  if (ahead) return leaveTo(ahead, 'the local node lacks many blocks that another node has');
  return { type: 'start', reason: 'leader without an active sequencer' };
}

/** There is no sequencer to stop. */
function leaveTo({ id }: Successor, reason: string): Action {
  return { type: 'transfer', to: id, sequencer: 'leave', reason };
}
