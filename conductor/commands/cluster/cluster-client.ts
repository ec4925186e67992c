import { z } from 'zod';
import { parseEndpoint } from '../../../common/endpoint.js';
import { ClientError } from '../../../rpc/clients/client-error.js';
import { JsonRpcClient } from '../../../rpc/clients/json-rpc-client.js';
import { reasonHeader } from '../../../rpc/clients/reason-header.js';
import { clusterStatusSchema, conductorStatusSchema } from '../../../rpc/server/conductor-status.js';
import { rpcUrlOf } from '../../config/host-port.js';
import type { ClusterView, Member } from '../../verdict/cluster-view.js';
import { mergeAnswers, type Answer } from '../../verdict/merge-answers.js';
import { CommandError } from '../command-error.js';

/** A conductor gives its members one second each; this is for its own answer on top. */
const VIEW_TIMEOUT_MS = 3000;

const METHOD_NOT_FOUND = -32601;

/**
 * The cluster as seen from some RPC addresses. Any one of them is enough: the conductor there asks the others at
 * their consensus addresses.
 */
export class ClusterClient {
  private readonly clients = new Map<string, JsonRpcClient>();
  /** RPC addresses of the conductors that answered at one of the given URLs, by id. */
  private readonly urlById = new Map<string, string>();

  /**
   * @param urls JSON-RPC of one or more conductors
   * @param reason who asks for a change and why; the members that are called log it
   */
  constructor(
    private readonly urls: readonly string[],
    private readonly signal: AbortSignal,
    private readonly reason?: string,
  ) {}

  /** Whether one of the given URLs is this member's own. */
  wasAsked(id: string): boolean {
    return this.urlById.has(id);
  }

  /** @throws CommandError `no-answer` when none of the conductors answers */
  async view(): Promise<ClusterView> {
    const settled = await Promise.allSettled(this.urls.map((url) => this.ask(url)));
    const answers = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (answers.length === 0) {
      const reasons = settled.flatMap((result) =>
        result.status === 'rejected' ? [(result.reason as Error).message] : [],
      );
      throw new CommandError('no-answer', reasons.join('\n  '));
    }
    return mergeAnswers(answers);
  }

  /**
   * Calls a method that changes something at one member.
   *
   * @throws ClientError
   */
  async call(
    member: Pick<Member, 'id' | 'addr' | 'status'>,
    method: string,
    params: readonly unknown[],
    timeoutMs: number,
  ): Promise<void> {
    const { signal } = this;
    await this.client(this.urlOf(member), reasonHeader(this.reason)).call(
      { method, params, result: z.unknown() },
      { timeoutMs, signal },
    );
  }

  /**
   * Asks one member at its own RPC address.
   *
   * @throws ClientError; CommandError `no-rpc-address`
   */
  async read<T>(
    member: Pick<Member, 'id' | 'addr' | 'status'>,
    method: string,
    result: z.ZodType<T>,
    timeoutMs: number,
  ): Promise<T> {
    const { signal } = this;
    return this.client(this.urlOf(member)).call({ method, result, idempotent: true }, { timeoutMs, signal });
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  /** JSON-RPC of a member: the URL that was given for it, else its consensus host with the RPC port that it names. */
  private urlOf({ id, addr, status }: Pick<Member, 'id' | 'addr' | 'status'>): string {
    const given = this.urlById.get(id);
    if (given !== undefined) return given;
    const url = status?.rpcPort ? rpcUrlOf(addr, status.rpcPort) : undefined;
    if (url === undefined) throw new CommandError('no-rpc-address', `the RPC address of ${id} is not known`);
    return url;
  }

  private async ask(url: string): Promise<Answer> {
    try {
      const options = { timeoutMs: VIEW_TIMEOUT_MS, signal: this.signal };
      const read = <T>(method: string, result: z.ZodType<T>): Promise<T> =>
        this.client(url).call({ method, result, idempotent: true }, options);
      const [{ members }, own] = await Promise.all([
        read('conductor_clusterStatus', clusterStatusSchema),
        // A conductor that is no member is not in its own list.
        read('conductor_status', conductorStatusSchema),
      ]);
      this.urlById.set(own.id, url);
      return { members, own };
    } catch (error) {
      const failure = error instanceof ClientError ? error.failure : undefined;
      if (failure?.code === 'rpc-error' && failure.rpcCode === METHOD_NOT_FOUND) {
        throw new Error(
          `${parseEndpoint(url).origin} is no conductor with this command line: op-conductor, or op-node (mind the port)`,
          { cause: error },
        );
      }
      throw error;
    }
  }

  /** Reads have no reason, so that only changes are logged with it. */
  private client(url: string, headers: Record<string, string> = {}): JsonRpcClient {
    const key = `${Object.keys(headers).join()} ${url}`;
    let client = this.clients.get(key);
    if (!client) this.clients.set(key, (client = new JsonRpcClient({ url, headers })));
    return client;
  }
}
