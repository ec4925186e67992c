import type { CoreStatus } from '../../../../raft/index.js';
import { Violation } from '../../../../raft/evidence/checks/violation.js';
import type { Block, BlockStore } from '../chain/block-store.js';
import type { L1View } from '../chain/l1-chain.js';
import type { Acknowledged, Applied, Ledger } from '../ledger.js';

/** What an invariant may look at. It changes nothing. */
export interface Evidence {
  readonly nowMs: number;
  readonly blocks: BlockStore;
  readonly ledger: Ledger;
  /** L1 as it is, whoever sees it. */
  readonly l1: L1View;
  /** No fault is going on; since when. Undefined while there are faults. */
  readonly calmSinceMs: number | undefined;
  /** A connection between these two was refused a moment ago though both live. */
  refused(from: string, to: string): boolean;
  /** Some fault, of whatever kind, is between these two now. */
  isDisturbed(from: string, to: string): boolean;
  readonly machines: readonly Observed[];
  /** Those with a node that are expected to work now. */
  readonly sound: readonly Observed[];
}

/** A machine as an invariant sees it. */
export interface Observed {
  readonly nodeId: string;
  /** It has neither op-node nor execution client. */
  readonly isWitness: boolean;
  /** Which conductor process it is, of all that there were; undefined while none runs. */
  readonly process: number | undefined;
  /** Of the execution client. */
  readonly head: Block;
  /** Of the committed chain, as far as its conductor applied it; undefined for an empty log. */
  readonly committedHead: { number: number; hash: string } | undefined;
  /** Undefined while no conductor runs. */
  readonly role: CoreStatus['role'] | undefined;
  /** Since when it has this role. */
  readonly roleSinceMs: number;
  /** Since when its conductor is paused; undefined while it is not. */
  readonly pausedSinceMs: number | undefined;
  /** Its op-node sequences. */
  readonly sequences: boolean;
  /** Its conductor may act, and its node answers. */
  readonly couldSequence: boolean;
  readonly hasSlowDisk: boolean;
}

/** One property. Every method is told of one kind of event, and throws a Violation when the property is broken. */
export interface Invariant {
  readonly name: string;
  /** A node applied an entry; `first` is what the first node made of it. */
  applied?(nodeId: string, applied: Applied, first: Applied): void;
  /** A process leads; `who` is its node, or the place where it runs if that is not the node's. */
  led?(who: string, term: number): void;
  /** A sequencer got success for its commit, and publishes. */
  published?(acknowledged: Acknowledged): void;
  /** A conductor has started the sequencer of its node on `head`. */
  started?(node: Observed, head: Block): void;
  /** A conductor has learned that its sequencer was started. */
  startKnown?(nodeId: string): void;
  /** The sequencer of a node was stopped, by whomever. */
  stopped?(node: Observed): void;
  /** A conductor that led was told to end, and is about to without having told op-node to stop. */
  leftUntold?(node: Observed): void;
  /** A node stands for election since it holds its leader's process for gone. */
  evidenceOf?(nodeId: string, leader: Observed): void;
  /** A conductor posts a block to its node. */
  posted?(node: Observed, block: Block): void;
  /** A conductor asks op-node or execution client something. */
  called?(node: Observed): void;
  /** A while has passed; told only where one of the members is a witness. */
  passed?(): void;
  /** A control loop has asked to hand leadership over. */
  transferred?(nodeId: string, success: boolean): void;
  /** Some time after all faults are over. */
  atEnd?(): void;
}

/** Breaks off. */
export function broken(invariant: Pick<Invariant, 'name'>, message: string): never {
  throw new Violation(invariant.name, message);
}
