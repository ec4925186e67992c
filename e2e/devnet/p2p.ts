import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { request } from 'undici';
import { MIB } from '../../common/bytes.js';
import { blockHashOf } from './block.js';
import type { Faults } from './faults.js';
import { envelopeSchema, refOf, type PayloadEnvelope } from './payload.js';

export interface P2pOptions {
  /** The p2p URLs of the other nodes. Blocks are not forwarded: every node names every other one. */
  peers: string[];
  /** Time that a block is on its way. */
  gossipDelayMs: number;
  /** Share of blocks, per peer, that get lost: 0 to 1. */
  gossipLoss: number;
  /** Seed of the dice for losses. */
  seed: number;
}

const PROBE_EVERY_MS = 300;
const PROBE_DEADLINE_MS = 500;
/** A peer that answered a probe within this time is connected. */
const CONNECTED_FOR_MS = 1200;
const GOSSIP_DEADLINE_MS = 10_000;
const BODY_LIMIT_BYTES = 64 * MIB;

/**
 * Gossip of blocks between nodes, over HTTP: `POST /gossip` takes a payload, `GET /blocks/N` gives one to a peer that lacks
 * it, `GET /ping` shows that the node is up.
 */
export class P2p {
  readonly server: FastifyInstance;
  readonly #answeredAtMs = new Map<string, number>();
  readonly #probes: NodeJS.Timeout;
  readonly #roll: () => number;

  constructor(
    private readonly options: P2pOptions,
    private readonly faults: Faults,
    private readonly log: Logger,
    /** Gets every gossiped payload whose hash is right. */
    private readonly receive: (envelope: PayloadEnvelope) => void,
    /** The canonical block of a height, for peers that lack it. */
    blockByNumber: (number: number) => PayloadEnvelope | undefined,
  ) {
    this.#roll = dice(options.seed);
    this.server = this.#createServer(blockByNumber);
    this.#probes = setInterval(() => this.#probePeers(), PROBE_EVERY_MS);
    this.#probePeers();
  }

  /** Replaces the peers. */
  setPeers(peers: string[]): void {
    this.options.peers = peers;
    this.#answeredAtMs.clear();
    this.#probePeers();
  }

  connectedPeers(): number {
    if (this.faults.peersLost) return 0;
    const since = Date.now() - CONNECTED_FOR_MS;
    return this.options.peers.filter((peer) => (this.#answeredAtMs.get(peer) ?? 0) > since).length;
  }

  knownPeers(): number {
    return this.options.peers.length;
  }

  /** Sends a block to every peer without waiting for any. */
  publish(envelope: PayloadEnvelope): void {
    if (this.#isSilent()) return;
    const body = JSON.stringify(envelope);
    for (const peer of this.options.peers) {
      if (this.#roll() < this.options.gossipLoss) continue;
      setTimeout(() => void this.#send(peer, body), this.options.gossipDelayMs);
    }
  }

  /** Asks connected peers for blocks, as op-node does for a gap below a waiting payload, and receives them. */
  async request({ from, to }: { from: number; to: number }): Promise<void> {
    if (this.#isSilent()) return;
    for (let number = from; number <= to; number++) {
      for (const peer of this.options.peers) if (await this.#requestFrom(peer, number)) break;
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#probes);
    await this.server.close();
  }

  #isSilent(): boolean {
    return this.faults.gossipStopped || this.faults.peersLost;
  }

  #createServer(blockByNumber: (number: number) => PayloadEnvelope | undefined): FastifyInstance {
    const server = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
    // After the body: blocks that reach a frozen node wait in its sockets and are there when it thaws.
    server.addHook('preHandler', async () => this.faults.running('op-node'));
    server.addHook('preHandler', async (_request, reply) => {
      if (this.faults.peersLost) await reply.code(503).send();
    });
    server.get('/ping', () => ({}));
    server.post('/gossip', async (request, reply) => {
      if (this.faults.gossipStopped) return reply.code(202).send();
      const problem = this.#take(request.body);
      return problem === undefined ? reply.code(202).send() : reply.code(400).send({ error: problem });
    });
    server.get('/blocks/:number', async (request, reply) => {
      const block = this.#isSilent()
        ? undefined
        : blockByNumber(Number((request.params as { number: string }).number));
      return block ?? reply.code(404).send({ error: 'not found' });
    });
    return server;
  }

  /** Receives a payload of a peer. @returns what is wrong with it */
  #take(body: unknown): string | undefined {
    const parsed = envelopeSchema.safeParse(body);
    if (!parsed.success) return parsed.error.message;
    const { hash } = refOf(parsed.data);
    if (blockHashOf(parsed.data) !== hash) {
      this.log.warn({ hash }, "dropped a peer's payload with a bad block hash");
      return 'bad block hash';
    }
    this.receive(parsed.data);
    return undefined;
  }

  async #requestFrom(peer: string, number: number): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(GOSSIP_DEADLINE_MS);
      const response = await request(`${peer}/blocks/${number}`, { signal });
      const body = await response.body.json();
      return response.statusCode === 200 && this.#take(body) === undefined;
    } catch {
      return false;
    }
  }

  async #send(peer: string, body: string): Promise<void> {
    try {
      const headers = { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(GOSSIP_DEADLINE_MS);
      const response = await request(`${peer}/gossip`, { method: 'POST', headers, body, signal });
      await response.body.dump();
    } catch (error) {
      this.log.debug({ peer, error }, 'gossip did not arrive');
    }
  }

  #probePeers(): void {
    if (this.faults.peersLost || this.faults.hung.includes('op-node')) return;
    for (const peer of this.options.peers) void this.#probe(peer);
  }

  async #probe(peer: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(PROBE_DEADLINE_MS);
      const response = await request(`${peer}/ping`, { signal });
      await response.body.dump();
      if (response.statusCode === 200) this.#answeredAtMs.set(peer, Date.now());
    } catch {
      // A peer that does not answer counts as lost as soon as its last answer is too old.
    }
  }
}

/** Numbers from 0 to 1 that depend on the seed only (mulberry32). */
function dice(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
