import { Fitness } from './eligibility.js';

/** Another voter that answers the leader. */
export interface Successor {
  id: string;
  fitness: Fitness;
  /** As in eligibility.ts; compares closeness to the head as well. */
  eligibility: number;
  /** Blocks that its execution client misses. */
  lagBlocks: number;
  /** Configured preference as leader, greater is better. */
  priority: number;
  /** A hand-over to it has failed a short while ago. */
  avoided: boolean;
}

/** Blocks that take longer to import than a hand-over takes to a node that has them. */
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
  /** This node has founded or joined a cluster. Before that it fences nobody: there is no other sequencer that it knows of. */
  belongsToCluster: boolean;
  /** `elect`: won, but without a commit of its own term; it must not act yet. */
  role: 'leader' | 'elect' | 'follower';
  /** Whether op-node sequences; null while it does not answer. */
  sequencerActive: boolean | null;
  /**
   * Why a sequencer that runs here as the leader's must not go on: it does not build on the committed head, or publishes
   * without its conductor. Undefined if nothing speaks against it.
   */
  mustStop: string | undefined;
  /** The local chain was compared with the committed one since this node leads. */
  compared: boolean;
  /** The client is on another branch, or has left the committed chain by itself: committed blocks are not posted to it. */
  stray: boolean;
  /** The client has left the committed chain by itself, and is not back: what it lacks may be about to give way. */
  left: boolean;
  /** Of the local node. */
  fitness: Fitness;
  eligibility: number;
  /** Committed blocks that the local execution client misses; negative if it is ahead. */
  lagBlocks: number;
  /** Why it is not fit, for the log. */
  healthReason: string;
  /** The local head moved, or the sequencer was started, a short while ago. */
  progressing: boolean;
  /** Leadership is on its way to another member, as somebody else than this loop has asked. */
  transferring: boolean;
  /** As leader: for long, the head has not moved and no sequencer was started; waiting longer will not help. */
  stuck: boolean;
  /** The retained history does not reach the local head: blocks cannot be posted. */
  historyTooShort: boolean;
  /** The local head has been behind the committed one for so long that gossip will not bring it. */
  lagging: boolean;
  /** A member that is preferred as leader and has been fit for long enough; undefined without one. */
  preferred: string | undefined;
  /** In the order in which they are to be tried. */
  successors: readonly Successor[];
}

/** What becomes of the local sequencer before a hand-over. */
export type SequencerBefore = 'stop' | 'abandon' | 'leave';

export type Action =
  | { type: 'none'; reason: string }
  /** Bring the local node to the committed head and start its sequencer. */
  | { type: 'start'; reason: string }
  /** `abandon`: what it sealed last does not count, and nobody waits for it. */
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
  // A pause leaves the sequencer to an operator. A witness has none, and the chain does not advance for as long as it leads.
  if (view.paused && !view.witness && !view.halted) return { type: 'none', reason: 'paused' };
  if (view.role === 'elect') return { type: 'none', reason: 'leadership is not complete yet' };
  if (view.halted) return decideWhileHalted(view);
  return view.role === 'leader' ? decideAsLeader(view) : decideAsFollower(view);
}

/**
 * The chain stands since somebody wants it to: nobody starts it, and its standing still is no reason to move leadership.
 * A pause does not keep a sequencer running against that.
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
  // Only to a fitter node: heads that are all old are no reason to move leadership around. A chain that stands
  // still for long is one to try the next node, as fit as this one (op-conductor #18845).
  const better = view.successors.find(
    ({ fitness, avoided }) =>
      fitness !== Fitness.unfit &&
      // One that cannot take over is no better than a node that can sequence, however it feels.
      !(avoided && view.fitness !== Fitness.unfit) &&
      (view.stuck ? fitness >= view.fitness : view.fitness !== Fitness.fit && fitness > view.fitness),
  );
  const reason = view.stuck ? 'the chain does not advance' : view.healthReason;

  if (view.sequencerActive === true) {
    // No block of it can be committed, so nothing is lost but time; it is started again where it belongs.
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
    // A chain that stood still has an old head for a while after its sequencer is back.
    if (view.fitness === Fitness.stale && view.progressing) {
      return { type: 'none', reason: 'the chain is catching up' };
    }
    if (!better) return { type: 'none', reason: `nobody is fitter: ${view.healthReason}` };
    // What does not answer cannot be stopped, and waiting for it would cost blocks: in op-conductor a hung op-node cost 20 s.
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
  // What this client has left may be what a majority has left. Then a member that still has it must not lead, and would
  // transfer leadership back at once: whoever has left looks for the evidence first.
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
