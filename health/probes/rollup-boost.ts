import { request } from 'undici';
import { z } from 'zod';
import { MIB } from '../../common/bytes.js';
import { withDeadline } from '../../common/deadline.js';
import { Dialer } from '../../common/dialer.js';
import { below, parseEndpoint, type Endpoint } from '../../common/endpoint.js';
import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';
import type { PartialTolerance } from './partial-tolerance.js';

/** `partial`: only the execution client builds blocks, because the external builder is unhealthy. */
export type RollupBoostHealth = 'healthy' | 'partial' | 'unhealthy';

export interface RollupBoostAnswer {
  health: RollupBoostHealth;
  /** A partial answer that the tolerance covers. */
  tolerated: boolean;
}

/**
 * - `status`: by the status code of `execution.rpc` + `/healthz`, as `--rollup-boost.enabled` asks for
 * - `json`: by the body of another URL, as `--rollup-boost.next-enabled` does
 */
export type RollupBoostVariant = { by: 'status'; executionUrl: string } | { by: 'json'; url: string };

const BY_STATUS: Readonly<Record<number, RollupBoostHealth>> = {
  200: 'healthy',
  206: 'partial',
  503: 'unhealthy',
};
const BY_NAME: Readonly<Record<string, RollupBoostHealth>> = {
  Healthy: 'healthy',
  PartialContent: 'partial',
  ServiceUnavailable: 'unhealthy',
};
const MAX_BODY_BYTES = MIB;
const EXCERPT_CHARS = 100;
const DEFAULT_TIMEOUT_MS = 5_000;

const report = z.object({ rollup_boost_health: z.string() });

/** Asks rollup-boost for its health (docs/reference/op-conductor.md §4). */
export class RollupBoostProbe {
  readonly #endpoint: Endpoint;
  readonly #dialer = new Dialer({ answerBytesMax: MAX_BODY_BYTES });

  constructor(
    private readonly variant: RollupBoostVariant,
    private readonly tolerance: PartialTolerance,
    private readonly now: () => number,
  ) {
    // op-conductor appends to the URL unchanged, so a URL with a trailing slash asks for `//healthz`.
    this.#endpoint =
      variant.by === 'status'
        ? below(parseEndpoint(variant.executionUrl), '/healthz')
        : parseEndpoint(variant.url);
  }

  /** Rejects when there is no valid answer in time. */
  async call({ signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions): Promise<RollupBoostAnswer> {
    const { status, text } = await withDeadline((deadline) => this.#get(deadline), { timeoutMs, signal });
    const health = this.variant.by === 'status' ? byStatus(status) : byBody(status, text);
    const tolerated = health === 'partial' && this.tolerance.take(Math.floor(this.now() / 1000));
    return { health, tolerated };
  }

  async close(): Promise<void> {
    await this.#dialer.close();
  }

  async #get(signal: AbortSignal): Promise<{ status: number; text: string }> {
    const { url, authorization } = this.#endpoint;
    const headers = authorization === undefined ? {} : { authorization };
    const { statusCode: status, body } = await request(url, {
      headers,
      signal,
      dispatcher: this.#dialer.agent,
    });
    if (this.variant.by === 'json') return { status, text: await body.text() };
    // The status says everything. The body may be long, or never end.
    body.on('error', () => undefined).destroy();
    return { status, text: '' };
  }
}

function byStatus(status: number): RollupBoostHealth {
  const health = BY_STATUS[status];
  if (health === undefined) throw new Error(`unexpected status code: ${status}`);
  return health;
}

function byBody(status: number, text: string): RollupBoostHealth {
  if (status !== 200) throw new Error(`unexpected status code: ${status}`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Error(`answer is not JSON: ${text.slice(0, EXCERPT_CHARS)}`);
  }
  const parsed = report.safeParse(body);
  if (!parsed.success) throw new Error(`answer without rollup_boost_health: ${text.slice(0, EXCERPT_CHARS)}`);
  const name = parsed.data.rollup_boost_health;
  const health = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (health === undefined) {
    throw new Error(`unexpected rollup_boost_health: ${JSON.stringify(name.slice(0, EXCERPT_CHARS))}`);
  }
  return health;
}
