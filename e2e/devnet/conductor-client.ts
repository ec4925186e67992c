import { request as plainRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { Faults } from './faults.js';
import type { PayloadEnvelope } from './payload.js';

const ATTEMPTS = 2;
const RETRY_AFTER_MS = 50;

/** Calls a conductor as op-node does: one deadline for a call, in it two attempts 50 ms apart. */
export class ConductorClient {
  #overridden = false;
  #id = 0;

  constructor(
    /** The conductor's JSON-RPC URL. */
    public url: string,
    private readonly deadlineMs: number,
    private readonly faults: Faults,
  ) {}

  /** From now on this node counts itself leader and commits nothing; as in op-node, only a restart ends it. */
  override(): void {
    this.#overridden = true;
  }

  get overridden(): boolean {
    return this.#overridden;
  }

  async leader(): Promise<boolean> {
    if (this.#overridden) return true;
    return (await this.#call('conductor_leader', AbortSignal.timeout(this.deadlineMs))) === true;
  }

  /** Rejects when the conductor did not confirm the commit in time. The block may be committed even so. */
  async commitUnsafePayload(envelope: PayloadEnvelope): Promise<void> {
    if (this.#overridden) return;
    const { faults } = this;
    const deadline = AbortSignal.timeout(this.deadlineMs);
    const commit = () => this.#call('conductor_commitUnsafePayload', deadline, [envelope]);
    if (faults.commitsToAbandon > 0) {
      faults.commitsToAbandon--;
      await this.#sendAndLeave('conductor_commitUnsafePayload', [envelope]);
    } else if (faults.commitAnswersToDrop > 0) {
      faults.commitAnswersToDrop--;
      await commit().catch(() => {});
    } else {
      await commit();
      return;
    }
    if (!deadline.aborted) await new Promise((resolve) => deadline.addEventListener('abort', resolve));
    throw deadlineExceeded();
  }

  /** Sends a whole request and closes the connection. */
  async #sendAndLeave(method: string, params: unknown[]): Promise<void> {
    await new Promise<void>((resolve) => {
      const headers = { 'content-type': 'application/json', connection: 'close' };
      const sent = plainRequest(this.url, { method: 'POST', headers }).on('error', () => {});
      sent.on('close', resolve);
      sent.end(this.#bodyOf(method, params), () => sent.destroy());
    });
  }

  #bodyOf(method: string, params?: unknown[]): string {
    return JSON.stringify({ jsonrpc: '2.0', id: ++this.#id, method, params });
  }

  async #call(method: string, deadline: AbortSignal, params?: unknown[]): Promise<unknown> {
    const body = this.#bodyOf(method, params);
    let failure = deadlineExceeded();
    for (let attempt = 1; attempt <= ATTEMPTS && !deadline.aborted; attempt++) {
      try {
        if (attempt > 1) await sleep(RETRY_AFTER_MS, undefined, { signal: deadline });
        return await this.#post(body, deadline);
      } catch (error) {
        if (deadline.aborted) throw deadlineExceeded();
        failure = error as Error;
      }
    }
    throw new Error(`operation failed permanently after ${ATTEMPTS} attempts: ${failure.message}`);
  }

  async #post(body: string, signal: AbortSignal): Promise<unknown> {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const response = await request(this.url, { method: 'POST', headers, body, signal });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${text}`);
    const answer = JSON.parse(text) as { result?: unknown; error?: { message: string } };
    if (answer.error !== undefined) throw new Error(answer.error.message);
    return answer.result;
  }
}

function deadlineExceeded(): Error {
  return new Error('context deadline exceeded');
}
