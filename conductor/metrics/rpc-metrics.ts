import type { Counter, Histogram } from 'prom-client';
import { REFUSAL_CAUSES, type RefusalCause } from '../../rpc/server/access/refusal.js';
import type { CallReport } from '../../rpc/server/json-rpc/call-report.js';
import { DEFAULT_BUCKETS, type Families } from './families.js';

const RPC = 'main';

/** How many codes of one method are told apart: proxied methods pass on any code of their backends. */
const CODES_MAX = 16;

/** Metrics of one method, kept so that no labels are looked up during a call. */
interface BoundMethod {
  requests: Counter.Internal;
  duration: Histogram.Internal<string>;
  paramsBytes: Counter.Internal;
  resultBytes: Counter.Internal;
  /** By the `error` label. */
  responses: Map<string, Counter.Internal>;
}

/** Metrics of the JSON-RPC server, with op-conductor's names. */
export class RpcMetrics {
  private readonly requests;
  private readonly duration;
  private readonly responses;
  private readonly paramsBytes;
  private readonly resultBytes;
  private readonly refusals = new Map<RefusalCause, Counter.Internal>();
  private readonly bound = new Map<string, BoundMethod>();

  constructor(families: Families) {
    const prefix = 'op_conductor_rpc_server';
    this.requests = families.counter(
      `${prefix}_requests_total`,
      'Total requests to the RPC server',
      'rpc',
      'method',
    );
    this.duration = families.histogram(
      `${prefix}_request_duration_seconds`,
      'Histogram of RPC server request durations',
      DEFAULT_BUCKETS,
      'rpc',
      'method',
    );
    this.responses = families.counter(
      `${prefix}_responses_total`,
      'Total RPC request responses served',
      'rpc',
      'method',
      'error',
    );
    this.paramsBytes = families.counter(
      `${prefix}_params_size_total`,
      'Total bytes of RPC params received',
      'rpc',
      'method',
    );
    this.resultBytes = families.counter(
      `${prefix}_results_size_total`,
      'Total bytes of RPC results sent back',
      'rpc',
      'method',
    );
    const refusals = families.counter(
      'op_conductor_refused_calls_total',
      'Calls to the RPC server that were refused, by cause: no-credential, unknown-credential, role-missing',
      'cause',
    );
    // Present from the start: an alert on the first one needs the zero before it.
    for (const cause of REFUSAL_CAUSES) this.refusals.set(cause, refusals.labels(cause));
  }

  refused(cause: RefusalCause): void {
    this.refusals.get(cause)?.inc();
  }

  called({ method, durationMs, paramsBytes, resultBytes, error }: CallReport): void {
    const bound = this.of(method);
    bound.requests.inc();
    bound.duration.observe(durationMs / 1000);
    bound.paramsBytes.inc(paramsBytes);
    bound.resultBytes.inc(resultBytes);
    this.responsesOf(method, bound, error ? `rpc_${error.code}` : '<nil>').inc();
  }

  private responsesOf(method: string, { responses }: BoundMethod, wanted: string): Counter.Internal {
    const label = responses.has(wanted) || responses.size < CODES_MAX ? wanted : 'rpc_other';
    let counter = responses.get(label);
    if (!counter) {
      counter = this.responses.labels(RPC, method, label);
      responses.set(label, counter);
    }
    return counter;
  }

  private of(method: string): BoundMethod {
    let bound = this.bound.get(method);
    if (!bound) {
      bound = {
        requests: this.requests.labels(RPC, method),
        duration: this.duration.labels(RPC, method),
        paramsBytes: this.paramsBytes.labels(RPC, method),
        resultBytes: this.resultBytes.labels(RPC, method),
        responses: new Map(),
      };
      this.bound.set(method, bound);
    }
    return bound;
  }
}
