import { pino } from 'pino';
import { withDeadline } from '../../../../common/deadline.js';
import { HttpTransport, isRefused, TransportError, wireProblem } from '../../../../raft/index.js';
import type { Config } from '../../../config/config.js';
import { formatHostPort, isWildcard } from '../../../config/host-port.js';
import type { FormationAnswer } from '../../../membership/formation.js';
import type { PeerFacts } from '../facts.js';

const TIMEOUT_MS = 3000;
/** The fastest one counts: a slow one may be a slow look-up, or a busy process. */
const QUESTIONS = 3;

type Hello = Awaited<ReturnType<typeof hello>>;

/** Asks consensus ports which node is there, as `baton run` would, without listening itself. */
export class PeerQuestions {
  private readonly transport: HttpTransport;

  constructor(
    private readonly config: Config,
    private readonly signal: AbortSignal,
  ) {
    this.transport = new HttpTransport({
      // Nothing is bound before `start`, which is never called.
      bind: { host: '127.0.0.1', port: 0 },
      timeouts: () => ({ controlMs: TIMEOUT_MS, bulkMs: TIMEOUT_MS, snapshotMs: TIMEOUT_MS }),
      bodyLimitBytes: config.rpc.bodyLimitBytes,
      logger: pino({ level: 'silent' }),
    });
  }

  /** Whether the member that should run here already does. Never rejects. */
  async alreadyRuns(): Promise<boolean> {
    const { consensus, raft } = this.config;
    if (consensus.listenPort === 0) return false;
    const host = isWildcard(consensus.listenHost) ? '127.0.0.1' : consensus.listenHost;
    const address = formatHostPort(host, consensus.listenPort);
    return this.ask(address).then(
      ({ nodeId }) => nodeId === raft.serverId,
      () => false,
    );
  }

  /** All other members of `raft.peers`, in parallel. Never rejects. */
  async gatherPeers(): Promise<PeerFacts[]> {
    const { peers, serverId } = this.config.raft;
    const others = peers.filter(({ id }) => id !== serverId);
    return Promise.all(others.map(async ({ id, addr }) => ({ id, addr, found: await this.examine(addr) })));
  }

  async close(): Promise<void> {
    await this.transport.stop();
  }

  private async examine(address: string): Promise<PeerFacts['found']> {
    try {
      let tookMs = Infinity;
      let answer: Hello | undefined;
      for (let question = 0; question < QUESTIONS; question++) {
        const begunMs = performance.now();
        answer = await this.ask(address);
        tookMs = Math.min(tookMs, performance.now() - begunMs);
      }
      const { nodeId, clusterId, empty, peersDigest } = answer!;
      return {
        kind: 'baton',
        ...{ nodeId, clusterId, peersDigest, isEmpty: empty },
        wireProblem: wireProblem(answer!),
        // One round trip to connect, one to ask.
        roundTripMs: tookMs / 2,
      };
    } catch (error) {
      // Its address is shown beside it.
      const reason = (error as Error).message.replace(`${address}: `, '');
      if (!(error instanceof TransportError) || error.code === 'timeout') return { kind: 'silent', reason };
      // It accepted the connection, but did not answer as a Baton does.
      if (error.failure === undefined) return { kind: 'stranger', reason };
      return { kind: isRefused(error.failure) ? 'refused' : 'silent', reason };
    }
  }

  private ask(address: string): Promise<Hello> {
    return hello(this.transport, address, this.signal);
  }
}

function hello(transport: HttpTransport, address: string, signal: AbortSignal) {
  return withDeadline((limited) => transport.hello<FormationAnswer>(address, limited), {
    timeoutMs: TIMEOUT_MS,
    signal,
  });
}
