import { z } from 'zod';
import { parseEndpoint } from '../../../common/endpoint.js';
import { ClientError } from '../../../rpc/clients/client-error.js';
import { JsonRpcClient } from '../../../rpc/clients/json-rpc-client.js';
import {
  clusterStatusSchema,
  conductorStatusSchema,
  type ClusterStatus,
  type ConductorStatus,
} from '../../../rpc/server/conductor-status.js';
import { rpcUrlOf } from '../../config/host-port.js';
import { CommandError } from '../command-error.js';
import type { ClusterView, Member } from './cluster-view.js';

/** A conductor gives its members one second each; this is for its own answer on top. */
const VIEW_TIMEOUT_MS = 3000;

const METHOD_NOT_FOUND = -32601;

/** What one of the given URLs told of the cluster and of itself. */
type Answer = ClusterStatus & { own: ConductorStatus };

/**
 * The cluster as seen from some RPC addresses. Any one of them is enough: the conductor there asks the others at
 * their consensus addresses.
 */
export class ClusterClient {
  private readonly clients = new Map<string, JsonRpcClient>();
  /** RPC addresses of the conductors that answered at one of the given URLs, by id. */
  private readonly urlById = new Map<string, string>();

  /** @param urls JSON-RPC of one or more conductors */
  constructor(
    private readonly urls: readonly string[],
    private readonly signal: AbortSignal,
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
    return merge(answers);
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
    await this.client(this.urlOf(member)).call(
      { method, params, result: z.unknown() },
      { timeoutMs, signal },
    );
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
      const [answer, own] = await Promise.all([
        read('conductor_clusterStatus', clusterStatusSchema),
        // A conductor that is no member is not in its own list.
        read('conductor_status', conductorStatusSchema),
      ]);
      this.urlById.set(own.id, url);
      return { ...answer, own };
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

  private client(url: string): JsonRpcClient {
    let client = this.clients.get(url);
    if (!client) this.clients.set(url, (client = new JsonRpcClient({ url })));
    return client;
  }
}

const ROLES = { 0: 'voter', 1: 'nonvoter' } as const;

/** One view of several answers: the newest configuration that anybody knows, with what was heard of each member. */
function merge(answers: readonly Answer[]): ClusterView {
  const heard = answers.flatMap(({ members }) => members);
  const statuses = [
    ...answers.map(({ own }) => own),
    ...heard.flatMap(({ status }) => (status ? [status] : [])),
  ];
  const { servers, version } = statuses
    .map(({ membership }) => membership)
    .reduce((best, membership) => (membership.version > best.version ? membership : best));
  const members = servers.map(({ id, addr, suffrage }): Member => {
    const status = statuses.find((candidate) => candidate.id === id) ?? null;
    const told = heard.find((member) => member.id === id && member.error !== '');
    const silence = status ? '' : (told?.error ?? 'nobody has asked it yet');
    return { id, addr, role: ROLES[suffrage], status, silence };
  });
  const strangers = answers
    .filter(({ own }) => !servers.some(({ id }) => id === own.id))
    .map(({ own }): Member => ({ id: own.id, addr: '', role: 'no member', status: own, silence: '' }));
  return { version, members: [...members, ...strangers] };
}
