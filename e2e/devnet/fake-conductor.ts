import { createRpcServer, NodeRpcError } from './json-rpc.js';
import { Faults } from './faults.js';
import { envelopeSchema, type PayloadEnvelope } from './payload.js';

/** A conductor of one node, for tests of the simulated op-node. It answers as told, and records the calls. */
export interface FakeConductor {
  url: string;
  isLeader: boolean;
  /** Text of the error that commits get; undefined: they succeed. */
  refusal: string | undefined;
  /** Answers are held back while this is pending. */
  gate: Promise<void>;
  /** Every payload received, tried again or not. */
  received: PayloadEnvelope[];
  /** The payloads acknowledged. */
  committed: PayloadEnvelope[];
  /** Commits whose caller left before the answer. */
  abandoned: number;
  /** Parameters of the calls as they came. */
  rawCalls: { method: string; params: unknown[] }[];
  stop(): Promise<void>;
}

export async function startFakeConductor(isLeader = true): Promise<FakeConductor> {
  const record = (method: string, params: unknown[]) => fake.rawCalls.push({ method, params });
  const server = createRpcServer(
    {
      conductor_leader: {
        call: async (params) => {
          record('conductor_leader', params);
          await fake.gate;
          return fake.isLeader;
        },
      },
      conductor_commitUnsafePayload: {
        required: 1,
        call: async (params, gone) => {
          record('conductor_commitUnsafePayload', params);
          const envelope = envelopeSchema.parse(params[0]);
          fake.received.push(envelope);
          await fake.gate;
          if (gone.aborted) fake.abandoned++;
          if (fake.refusal !== undefined) throw new NodeRpcError(fake.refusal);
          fake.committed.push(envelope);
        },
      },
    },
    'op-node',
    new Faults(),
  );
  const fake: FakeConductor = {
    url: await server.listen({ host: '127.0.0.1', port: 0 }),
    isLeader,
    refusal: undefined,
    gate: Promise.resolve(),
    received: [],
    committed: [],
    abandoned: 0,
    rawCalls: [],
    stop: () => server.close(),
  };
  return fake;
}
