import { z } from 'zod';
import { ClientError } from '../../../rpc/clients/client-error.js';
import { JsonRpcClient } from '../../../rpc/clients/json-rpc-client.js';
import { clusterStatusSchema, type ClusterStatus } from '../../../rpc/conductor-status.js';
import { parseHostPort } from '../../config/host-port.js';
import { CommandError } from '../command-error.js';
import type { ClusterView, Member } from './cluster-view.js';

/** A conductor gives its members one second each; this is for its own answer on top. */
const VIEW_TIMEOUT_MS = 3000;

const METHOD_NOT_FOUND = -32601;

type Answer = ClusterStatus & { url: string };

/**
 * The cluster as seen from some RPC addresses. Any one of them is enough: the conductor there asks the others at
 * their consensus addresses.
 */
export class Cluster {
  private readonly clients = new Map<string, JsonRpcClient>();
  /** RPC addresses of the conductors that answered at one of the given URLs, by id. */
  private readonly urlById = new Map<string, string>();

  /** @param urls JSON-RPC of one or more conductors */
  constructor(
    private readonly urls: readonly string[],
    private readonly signal: AbortSignal,
  ) {}

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
    for (const { answeredBy, url } of answers) this.urlById.set(answeredBy, url);
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
    const host = parseHostPort(addr)?.host;
    if (!status?.rpcPort || host === undefined) {
      throw new CommandError('no-rpc-address', `the RPC address of ${id} is not known`);
    }
    return `http://${host.includes(':') ? `[${host}]` : host}:${status.rpcPort}`;
  }

  private async ask(url: string): Promise<Answer> {
    try {
      const answer = await this.client(url).call(
        { method: 'conductor_clusterStatus', result: clusterStatusSchema, idempotent: true },
        { timeoutMs: VIEW_TIMEOUT_MS, signal: this.signal },
      );
      return { ...answer, url };
    } catch (error) {
      const failure = error instanceof ClientError ? error.failure : undefined;
      if (failure?.code === 'rpc-error' && failure.rpcCode === METHOD_NOT_FOUND) {
        throw new Error(
          `${url} is no conductor with this command line: op-conductor, or op-node (mind the port)`,
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

/** One view of several answers: the newest configuration, with whatever any of them heard of a member. */
function merge(answers: readonly Answer[]): ClusterView {
  const own = (answer: Answer): ClusterStatus['members'][number] | undefined =>
    answer.members.find(({ id }) => id === answer.answeredBy);
  const version = (answer: Answer): number => own(answer)?.status?.membership.version ?? 0;
  const newest = answers.reduce((best, answer) => (version(answer) > version(best) ? answer : best));
  const servers = own(newest)?.status?.membership.servers ?? [];
  const heard = [newest, ...answers].flatMap(({ members }) => members);
  const members = servers.map(({ id, addr, suffrage }): Member => {
    const told = heard.filter((member) => member.id === id);
    const status = told.find((member) => member.status !== null)?.status ?? null;
    const silence = status ? '' : (told.find(({ error }) => error !== '')?.error ?? 'nobody could ask it');
    return { id, addr, role: ROLES[suffrage], status, silence };
  });
  const strangers = answers.filter(({ answeredBy }) => !servers.some(({ id }) => id === answeredBy));
  return {
    version: version(newest),
    members: [
      ...members,
      ...strangers.map((answer): Member => {
        const status = own(answer)?.status ?? null;
        return { id: answer.answeredBy, addr: '', role: 'no member', status, silence: '' };
      }),
    ],
  };
}
