import type { CoreStatus } from '../../../../raft/index.js';
import { Violation } from '../../../../raft/evidence/checks/violation.js';
import type { Block, BlockStore } from '../chain/block-store.js';
import type { L1View } from '../chain/l1-chain.js';
import type { Acknowledged, Applied, Ledger } from '../ledger.js';

/** What an invariant may read. Nothing here changes it. */
export interface Evidence {
  readonly nowMs: number;
  readonly blocks: BlockStore;
  readonly ledger: Ledger;
  /** L1 itself, apart from what nodes see of it. */
  readonly l1: L1View;
  /** Since when there has been no fault. Undefined during faults. */
  readonly calmSinceMs: number | undefined;
  /** A connection between these two was refused a moment ago although both run. */
  refused(from: string, to: string): boolean;
  /** Some fault now affects the links between these two. */
  isDisturbed(from: string, to: string): boolean;
  readonly machines: readonly Observed[];
  /** The machines with a node that should work now. */
  readonly sound: readonly Observed[];
}

/** A machine as an invariant sees it. */
export interface Observed {
  readonly nodeId: string;
  /** It has no op-node and no execution client. */
  readonly isWitness: boolean;
  /** Number of the current conductor process; undefined while none runs. */
  readonly process: number | undefined;
  /** Head of the execution client. */
  readonly head: Block;
  /** Head of the committed chain that its conductor has applied; undefined for an empty log. */
  readonly committedHead: { number: number; hash: string } | undefined;
  /** Undefined while no conductor runs. */
  readonly role: CoreStatus['role'] | undefined;
  /** Since when it has this role. */
  readonly roleSinceMs: number;
  /** Since when its conductor is paused; undefined while it is not. */
  readonly pausedSinceMs: number | undefined;
  /** Since when a conductor runs here that belongs to no cluster; undefined without one. */
  readonly strangerSinceMs: number | undefined;
  /** Its conductor knows the log that was there when it began. Before that it does nothing. */
  readonly knowsLog: boolean;
  /** Its conductor knows that operators have halted the cluster. */
  readonly isHalted: boolean;
  /** Its op-node sequences. */
  readonly sequences: boolean;
  /** Its conductor may act, and its node answers. */
  readonly couldSequence: boolean;
  readonly hasSlowDisk: boolean;
}

/** One property. Each method receives one kind of event, and throws a Violation when the property is broken. */
export interface Invariant {
  readonly name: string;
  /** A node applied an entry. `first` is the result on the first node that applied it. */
  applied?(nodeId: string, applied: Applied, first: Applied): void;
  /** A process leads. `who` is its node, or the place where it runs if that is not the node's. */
  led?(who: string, term: number): void;
  /** A sequencer got success for its commit, and publishes. */
  published?(acknowledged: Acknowledged): void;
  /** A conductor has started the sequencer of its node on `head`. */
  started?(node: Observed, head: Block): void;
  /** A conductor has learned that its sequencer was started. */
  startKnown?(nodeId: string): void;
  /** The sequencer of a node was stopped, by anyone. */
  stopped?(node: Observed): void;
  /** A leading conductor was told to end, and is about to end without telling op-node to stop. */
  leftUntold?(node: Observed): void;
  /** A node stands for election because it believes that its leader's process is gone. */
  evidenceOf?(nodeId: string, leader: Observed): void;
  /** A conductor posts a block to its node. */
  posted?(node: Observed, block: Block): void;
  /** A conductor calls op-node or the execution client. */
  called?(node: Observed): void;
  /** Some time has passed. Only called if one of the members is a witness. */
  passed?(): void;
  /** The nemesis has caused a fault. */
  faulted?(): void;
  /** A control loop has requested a transfer. */
  transferred?(nodeId: string, success: boolean): void;
  /** Some time after the last fault. */
  atEnd?(): void;
}

/** Ends the run with a violation. */
export function broken(invariant: Pick<Invariant, 'name'>, message: string): never {
  throw new Violation(invariant.name, message);
}
