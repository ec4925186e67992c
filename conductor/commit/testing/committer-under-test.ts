import type { Outcome } from '../../../raft/index.js';
import type { BlockRef } from '../../../rpc/payload/block-ref.js';
import { ChainState, type Verdict } from '../../chain/chain-state.js';
import { applyTo, headOf, readChainCommand } from '../../chain/logged-command.js';
import { payloadOf, silent } from '../../testing/chain.js';
import { PayloadCommitter, type Log } from '../payload-committer.js';
import { Turns } from '../turns.js';

/** What op-conductor puts before every error of a commit. */
export const PREFIX = 'failed to apply payload envelope: ';

/** A log's answer other than success. */
export type Refusal = Exclude<Outcome<object>, { outcome: 'done' }>;
export const notLeader: Refusal = { outcome: 'rejected', reason: 'not-leader' };
export const lost: Refusal = { outcome: 'unknown', reason: 'leadership lost' };

/** Waits until all settled promises have been handled. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A log that commits a proposal when the test says so, and applies it to the chain. */
export class FakeLog implements Log {
  isReadyLeader = true;
  term = 1;
  readonly calls: string[] = [];
  /** When set, the test answers proposals and barriers by hand. */
  manual = false;
  /** The next answers, in order, instead of success. */
  readonly refusals: Refusal[] = [];
  /** Runs before a barrier is answered, to play what the cluster did meanwhile. */
  meanwhile = (): void => undefined;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly chain: ChainState) {}

  status(): { term: number } {
    return { term: this.term };
  }

  propose(data: Uint8Array): Promise<Outcome<{ result: Verdict }>> {
    const index = this.calls.length + 1;
    const command = readChainCommand(data, index);
    const { number, hash } = headOf(command);
    if ('reset' in command) this.calls.push(`reset ${command.reset.from.hash} to ${number} ${hash}`);
    else {
      const { replacesHead } = command;
      this.calls.push(`propose ${number} ${hash}${replacesHead === undefined ? '' : ` for ${replacesHead}`}`);
    }
    return this.answer(() => {
      const result = applyTo(this.chain, command);
      return { outcome: 'done', index, term: this.term, result };
    });
  }

  readBarrier(): Promise<Outcome<object>> {
    this.calls.push('barrier');
    return this.answer(() => {
      this.meanwhile();
      return { outcome: 'done', index: 1, term: this.term };
    });
  }

  /** Answers the oldest waiting request. */
  next(): void {
    this.waiting.shift()?.();
  }

  private answer<T>(done: () => Outcome<T>): Promise<Outcome<T>> {
    return new Promise((resolve) => {
      const end = (): void => resolve(this.refusals.shift() ?? done());
      if (this.manual) this.waiting.push(end);
      else end();
    });
  }
}

/** A committer of an empty chain, with its log and its local node. */
export class CommitterUnderTest {
  readonly chain = new ChainState();
  readonly log = new FakeLog(this.chain);
  /** Blocks that the committer reported as contradicting. */
  readonly contradicted: BlockRef[] = [];
  /** Canonical blocks of the local execution client, or why it does not answer. */
  local: Map<number, string> | Error = new Map<number, string>();
  /** Runs before the local execution client answers. */
  onAsked = (): void => undefined;
  /** Why no block may be the first. */
  firstBlockRefusal: string | undefined;
  readonly turns = new Turns();
  readonly committer = new PayloadCommitter({
    turns: this.turns,
    log: this.log,
    chain: this.chain,
    localChain: { blockByNumber: (number) => this.blockByNumber(number) },
    firstBlockRefusal: () => this.firstBlockRefusal,
    logger: silent,
  });

  constructor() {
    this.committer.on('contradicted', (block) => this.contradicted.push(block));
  }

  /** @param gone fires when the proposer leaves. Without it, the proposer stays */
  commit(ref: BlockRef, gone?: AbortSignal): Promise<void> {
    return this.committer.commit(payloadOf(ref), gone && { gone });
  }

  private async blockByNumber(number: number): Promise<{ hash: string } | null> {
    await settled();
    this.onAsked();
    if (this.local instanceof Error) throw this.local;
    const hash = this.local.get(number);
    return hash === undefined ? null : { hash };
  }
}
