import { z } from 'zod';
import { parseEndpoint } from '../../../common/endpoint.js';
import { speaksTls } from '../../../common/speaks-tls.js';
import { TLS_TEXTS } from '../../../common/tls-failure.js';
import { ClientError } from '../../../rpc/clients/client-error.js';
import { JsonRpcClient } from '../../../rpc/clients/json-rpc-client.js';
import { callerHeaders, type SaidByCaller } from '../../../rpc/clients/caller-headers.js';
import { clusterStatusSchema, conductorStatusSchema } from '../../../rpc/server/conductor-status.js';
import { isLoopback, withoutBrackets } from '../../config/host-port.js';
import type { ClusterView, Member } from '../../verdict/cluster-view.js';
import { mergeAnswers, type Answer } from '../../verdict/merge-answers.js';
import { historySchema, type History } from '../../../rpc/server/history.js';
import { CommandError } from '../command-error.js';
import type { Credentials } from '../settings/credentials.js';
import type { MemberMemory, RememberedMembers } from '../settings/member-memory.js';
import { accessError } from './access-error.js';
import { memberUrl } from './member-url.js';

/** A conductor gives its members one second each. This adds time for its own answer. */
const VIEW_TIMEOUT_MS = 3000;

/** For finding out which scheme a port has that just closed the connection. */
const PROBE_TIMEOUT_MS = 2000;

const METHOD_NOT_FOUND = -32601;

interface ClusterClientOptions {
  /** JSON-RPC of one or more conductors. */
  urls: readonly string[];
  /** Sent to all members, including those found by asking others. */
  credentials: Credentials;
  signal: AbortSignal;
  /** The caller of a change and the reason, recorded by the members that are called. */
  said?: SaidByCaller | undefined;
  /** Conductors to ask if none of those answers. */
  memory: Pick<MemberMemory, 'recall' | 'remember'>;
  note: (line: string) => void;
}

/**
 * The cluster as seen from some RPC addresses. One of them is enough: the conductor there asks the others at their
 * consensus addresses.
 */
export class ClusterClient {
  private readonly clients = new Map<string, JsonRpcClient>();
  /** RPC addresses of the conductors that answered at one of the given URLs, by id. */
  private readonly urlById = new Map<string, string>();

  private hasNoted = false;
  private hasNotedPlainToken = false;

  constructor(private readonly options: ClusterClientOptions) {}

  /** Whether one of the given URLs is that of this member. */
  wasAsked(id: string): boolean {
    const url = this.urlById.get(id);
    return url !== undefined && this.options.urls.includes(url);
  }

  /** @throws CommandError `no-answer` if no conductor answers, or the reason if none gives access */
  async view(): Promise<ClusterView> {
    const { urls, memory } = this.options;
    const { answers, errors } = await this.askAll(urls);
    const found = answers.length > 0 ? answers : await this.askRemembered(errors);
    if (found.length === 0) throw noAnswer(errors);
    const view = mergeAnswers(found);
    await memory.remember(view);
    return view;
  }

  private async askAll(urls: readonly string[]): Promise<{ answers: Answer[]; errors: Error[] }> {
    const settled = await Promise.allSettled(urls.map((url) => this.ask(url)));
    return {
      answers: settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
      errors: settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : [])),
    };
  }

  /** Members at the time the given ones last answered, if they still belong to the same cluster. */
  private async askRemembered(errors: readonly Error[]): Promise<Answer[]> {
    const { urls, memory, note } = this.options;
    const known = await memory.recall();
    const others = known?.members.map(({ url }) => url).filter((url) => !urls.includes(url)) ?? [];
    if (!known || others.length === 0) return [];
    const { answers } = await this.askAll(others);
    const same = answers.filter(({ own }) => own.clusterId === known.clusterId);
    if (same.length > 0 && !this.hasNoted) {
      for (const error of errors) note(reasonOf(error));
      note(`asked the members that were seen before: ${answeredText(known, same)}`);
      this.hasNoted = true;
    }
    return same;
  }

  /**
   * Calls a method that changes something at one member.
   *
   * @returns its answer
   * @throws ClientError; CommandError `no-rpc-address`
   */
  async call(
    member: Pick<Member, 'id' | 'addr' | 'status'>,
    method: string,
    params: readonly unknown[],
    timeoutMs: number,
  ): Promise<unknown> {
    const { signal, said } = this.options;
    return this.client(this.urlOf(member), callerHeaders(said ?? {})).call(
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
    const { signal } = this.options;
    return this.client(this.urlOf(member)).call({ method, result, idempotent: true }, { timeoutMs, signal });
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  /** JSON-RPC of a member: the URL that was given for it, else its consensus host with the RPC port that it names. */
  private urlOf(member: Pick<Member, 'id' | 'addr' | 'status'>): string {
    const { id } = member;
    const given = this.urlById.get(id);
    if (given !== undefined) return given;
    const url = memberUrl(member);
    if (url === undefined) throw new CommandError('no-rpc-address', `the RPC address of ${id} is not known`);
    return url;
  }

  /**
   * The history since then, from the first of the given conductors that answers.
   *
   * @throws CommandError `no-answer` if none answers, or the reason if none gives access
   */
  async history(sinceMs: number): Promise<History> {
    const errors: Error[] = [];
    for (const url of this.options.urls) {
      try {
        return await this.readAt(url, 'conductor_history', historySchema, [sinceMs]);
      } catch (error) {
        errors.push(error as Error);
      }
    }
    throw noAnswer(errors);
  }

  private async ask(url: string): Promise<Answer> {
    const [{ members }, own] = await Promise.all([
      this.readAt(url, 'conductor_clusterStatus', clusterStatusSchema),
      // A conductor that is not a member is not in its own list.
      this.readAt(url, 'conductor_status', conductorStatusSchema),
    ]);
    this.urlById.set(own.id, url);
    return { members, own };
  }

  private async readAt<T>(
    url: string,
    method: string,
    result: z.ZodType<T>,
    params: readonly unknown[] = [],
  ): Promise<T> {
    const options = { timeoutMs: VIEW_TIMEOUT_MS, signal: this.options.signal };
    try {
      return await this.client(url).call({ method, params, result, idempotent: true }, options);
    } catch (error) {
      const failure = error instanceof ClientError ? error.failure : undefined;
      if (failure?.code === 'rpc-error' && failure.rpcCode === METHOD_NOT_FOUND) {
        throw new Error(
          `${parseEndpoint(url).origin} is no conductor with this command line: op-conductor, or op-node (mind the port)`,
          { cause: error },
        );
      }
      throw (await this.asTlsPort(url, error)) ?? error;
    }
  }

  /** A clearer error if plain HTTP was sent to a port with TLS, which just closes the connection. */
  private async asTlsPort(url: string, error: unknown): Promise<ClientError | undefined> {
    if (!(error instanceof ClientError) || error.failure.code !== 'unreachable') return undefined;
    const { isPlain, host, port } = parseEndpoint(url);
    if (!isPlain || error.failure.refused) return undefined;
    const { signal } = this.options;
    if (!(await speaksTls(withoutBrackets(host), port, { timeoutMs: PROBE_TIMEOUT_MS, signal })))
      return undefined;
    const { method, server } = error;
    const failure = { code: 'unreachable', tls: 'tls-port' } as const;
    return new ClientError(failure, method, server, TLS_TEXTS['tls-port'], { cause: error });
  }

  /** The token is sent anyway: that is the decision of the cluster's operators. */
  private notePlainToken(url: string): void {
    const { credentials, note } = this.options;
    const { isPlain, host, authorization } = parseEndpoint(url);
    if (credentials.token === undefined || authorization !== undefined) return;
    if (!isPlain || isLoopback(host) || this.hasNotedPlainToken) return;
    this.hasNotedPlainToken = true;
    note(
      `the token goes to ${host} over plain HTTP, where others on the way can read it: use https (--rpc.tls.cert)`,
    );
  }

  /** Reads do not identify their caller. */
  private client(url: string, headers: Record<string, string> = {}): JsonRpcClient {
    const key = `${Object.keys(headers).join()} ${url}`;
    let client = this.clients.get(key);
    if (!client) {
      this.notePlainToken(url);
      this.clients.set(key, (client = new JsonRpcClient({ url, headers, ...this.options.credentials })));
    }
    return client;
  }
}

/** No conductor answered. If one refused access, that is the error to fix. */
function noAnswer(errors: readonly Error[]): CommandError {
  const access = errors.map(accessError).find((error) => error !== undefined);
  return new CommandError(access?.code ?? 'no-answer', errors.map(reasonOf).join('\n  '), access?.remedy);
}

function reasonOf(error: Error): string {
  return (accessError(error) ?? error).message;
}

function answeredText({ seenAtMs, members }: RememberedMembers, answers: readonly Answer[]): string {
  const which = members.filter(({ id }) => answers.some(({ own }) => own.id === id));
  const at = new Date(seenAtMs).toISOString();
  return `${which.map(({ id, url }) => `${id} at ${url}`).join(', ')} (list of ${at})`;
}
