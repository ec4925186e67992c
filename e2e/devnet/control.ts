import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Program } from './faults.js';
import type { BlockRef } from './payload.js';

const target = z.enum(['op-node', 'execution', 'both']).default('both');
const nothing = z.object({}).strict();

/** What `POST /control/<name>` takes, by name. */
export const controlBodies = {
  /** Ends the process at once, as a SIGKILL would. */
  crash: nothing,
  /** Freezes programs, for `ms` or until `resume`. */
  hang: z.object({ target, ms: z.number().positive().optional() }).strict(),
  resume: nothing,
  /** Blocks neither leave nor arrive. */
  'stop-gossip': nothing,
  'resume-gossip': nothing,
  /** Forgets the newest blocks. */
  'fall-behind': z.object({ blocks: z.int().positive() }).strict(),
  /** Cuts the node off from all peers. */
  'lose-peers': nothing,
  'regain-peers': nothing,
  /** Delays every JSON-RPC answer; 0 ends it. */
  'slow-rpc': z.object({ ms: z.number().nonnegative(), target }).strict(),
  /** What `/healthz` (status code) and `/rollup-boost` (JSON) of the execution client's port say. */
  'rollup-boost': z.object({ health: z.enum(['healthy', 'partial', 'unhealthy', 'hung']) }).strict(),
  /** Peers that the execution client counts; null: as many as op-node has. */
  'execution-peers': z.object({ count: z.int().nonnegative().nullable() }).strict(),
  /** The safe head follows the unsafe one at this distance; null: it stays at genesis. */
  'safe-lag': z.object({ blocks: z.int().nonnegative().nullable() }).strict(),
  /** Calls of a method fail with this text; null ends it. */
  fail: z.object({ method: z.string(), error: z.string().nullable() }).strict(),
  /** The next commits reach the conductor, but op-node sees them time out; 0 ends it. */
  'drop-commit-answers': z.object({ count: z.int().nonnegative() }).strict(),
  /** The next commits reach the conductor, but op-node leaves before it answers; 0 ends it. */
  'abandon-commits': z.object({ count: z.int().nonnegative() }).strict(),
  /** After a failed commit op-node gets another block for the height, as from rollup-boost. */
  reseal: z.object({ on: z.boolean() }).strict(),
  /** An L1 reorg from this L1 block upwards: op-node walks its head back to what still derives from L1. */
  reorg: z.object({ from: z.int().positive() }).strict(),
  /** Replaces the p2p URLs of the peers. */
  peers: z.object({ peers: z.array(z.url()) }).strict(),
  /** Replaces the conductor's RPC URL. */
  conductor: z.object({ rpc: z.url() }).strict(),
};

export type ControlName = keyof typeof controlBodies;
/** A control request's body as a client writes it. */
export type ControlInput<N extends ControlName> = z.input<(typeof controlBodies)[N]>;
/** What a node does on each control request. */
export type ControlActions = { [N in ControlName]: (body: z.output<(typeof controlBodies)[N]>) => void };

/** What `GET /control/state` answers. */
export interface NodeState {
  name: string;
  /** The execution client's. */
  head: BlockRef;
  /** op-node's. */
  unsafeHead: BlockRef;
  /** Number of the L1 block that the unsafe head derives from. */
  l1Origin: number;
  /** The last block that this node committed and gossiped. */
  sealed: BlockRef | null;
  /** A sealed block whose commit is in progress or failed. */
  pending: BlockRef | null;
  active: boolean;
  leaderOverridden: boolean;
  connectedPeers: number;
  /** Programs that are frozen. */
  hung: Program[];
  counts: {
    sealed: number;
    committed: number;
    commitFailures: number;
    /** Blocks of others imported. */
    imported: number;
    /** Blocks of others that did not build on the head. */
    dropped: number;
    /** Blocks of others that wait for those below them. */
    waiting: number;
  };
}

export function programsOf(choice: z.output<typeof target>): Program[] {
  return choice === 'both' ? ['op-node', 'execution'] : [choice];
}

/** The server that switches faults on and shows what the node knows; no fault affects it. */
export function createControlServer(
  actions: ControlActions,
  state: () => NodeState,
  blocksFrom: (number: number) => BlockRef[],
): FastifyInstance {
  const server = Fastify({ forceCloseConnections: true });
  server.get('/control/state', () => state());
  server.get('/control/blocks', (request) => {
    const { from } = z
      .object({ from: z.coerce.number().int().nonnegative().default(0) })
      .parse(request.query);
    return blocksFrom(from);
  });
  server.post('/control/:name', async (request, reply) => {
    const { name } = request.params as { name: string };
    if (!Object.hasOwn(controlBodies, name)) {
      const known = Object.keys(controlBodies).join(', ');
      return reply.code(404).send({ error: `no fault ${name}; there are: ${known}` });
    }
    const body = controlBodies[name as ControlName].safeParse(request.body ?? {});
    if (!body.success) return reply.code(400).send({ error: z.prettifyError(body.error) });
    const act = actions[name as ControlName] as (body: unknown) => void;
    if (name === 'crash') reply.raw.once('finish', () => act(body.data));
    else act(body.data);
    return {};
  });
  return server;
}
