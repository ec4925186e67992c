import type { EventEmitter } from 'node:events';
import type { RaftNodeEvents } from '../../raft/index.js';
import type { CallReport } from '../../rpc/server/json-rpc/call-report.js';
import type { CommittedHead, Verdict } from '../chain/chain-state.js';
import { FINE_BUCKETS, type Families } from './families.js';

/** The methods by which a sequencer commits. */
const COMMIT_METHODS = new Set(['conductor_commitUnsafePayload', 'commit-unsafe-payload']);

/** The fate of blocks. */
export class CommitMetrics {
  private readonly decode;
  private readonly replicate;
  private readonly apply;
  private readonly total;
  private readonly bytes;
  private readonly rejected;
  private readonly replaced;
  private readonly gaps;
  private readonly resets;

  constructor(families: Families) {
    const stages = families.histogram(
      'op_conductor_commit_duration_seconds',
      'Duration of a commit by stage: decode, replicate, apply; total is that of the whole call',
      FINE_BUCKETS,
      'stage',
    );
    // Bound once: no labels are looked up while a block waits.
    this.decode = stages.labels('decode');
    this.replicate = stages.labels('replicate');
    this.apply = stages.labels('apply');
    this.total = stages.labels('total');
    this.bytes = families.counter(
      'op_conductor_committed_bytes_total',
      'Bytes of committed payloads applied on this node',
    );
    this.rejected = families.counter(
      'op_conductor_rejected_commits_total',
      'Number of commits answered with an error, by reason (docs/ERRORS.md)',
      'reason',
    );
    this.replaced = families.counter(
      'op_conductor_replaced_blocks_total',
      'Number of committed blocks that made way to a sibling, since their commit was never answered',
    );
    this.gaps = families.counter(
      'op_conductor_chain_gaps_total',
      'Number of committed blocks that left a gap below them',
    );
    this.resets = families.counter(
      'op_conductor_chain_resets_total',
      'Number of times that the committed head was reset to an ancestor, by evidence',
      'evidence',
    );
  }

  watch(raft: EventEmitter<RaftNodeEvents>): void {
    raft.on('proposed', ({ replicateMs, applyMs }) => {
      this.replicate.observe(replicateMs / 1000);
      this.apply.observe(applyMs / 1000);
    });
  }

  called({ method, durationMs, decodeMs, error }: CallReport): void {
    if (!COMMIT_METHODS.has(method)) return;
    if (error) {
      this.rejected.inc({ reason: error.reason });
      return;
    }
    this.decode.observe(decodeMs / 1000);
    this.total.observe(durationMs / 1000);
  }

  applied(head: CommittedHead, verdict: Verdict): void {
    if (verdict.type !== 'refused') this.bytes.inc(head.byteLength ?? 0);
    if (verdict.type === 'gap') this.gaps.inc();
    if (verdict.type === 'replacement') this.replaced.inc(verdict.replaced.length);
    if (verdict.type === 'reset') this.resets.inc({ evidence: verdict.reset.evidence });
  }
}
