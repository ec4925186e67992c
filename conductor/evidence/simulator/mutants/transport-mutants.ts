import { inScenario, inTest, mutant, type Mutant } from './mutant.js';

const TRANSPORT = 'raft/transport';
const HTTP = inTest(`${TRANSPORT}/http-transport.test.ts`);
const IDENTITIES = inTest(`${TRANSPORT}/peer-identities.test.ts`);

/** Mutants of the transport. */
export const transportMutants: readonly Mutant[] = [
  mutant(
    'answers of another disk count',
    HTTP,
    `${TRANSPORT}/incarnation-policy.ts`,
    "return !message.type.endsWith('Response') && message.type !== 'timeoutNow';",
    "return message.type !== 'timeoutNow';",
  ),
  mutant(
    'a hand-over by another disk counts',
    HTTP,
    `${TRANSPORT}/incarnation-policy.ts`,
    "if (message.type === 'vote') return message.transferNumber === 0;",
    "if (message.type === 'vote') return true;",
  ),
  mutant(
    'messages of another cluster count',
    HTTP,
    `${TRANSPORT}/admission.ts`,
    'if (own !== null && clusterId !== own) {',
    'if (own !== null && clusterId === null) {',
  ),
  mutant(
    'messages for another disk count',
    HTTP,
    `${TRANSPORT}/admission.ts`,
    'if (toIncarnation !== incarnation()) {',
    "if (toIncarnation === '') {",
  ),
  mutant(
    'whoever answers in the place of a peer counts',
    inTest(`${TRANSPORT}/admission.test.ts`),
    `${TRANSPORT}/admission.ts`,
    'if (answering !== undefined && frame.from !== answering) {',
    "if (answering !== undefined && frame.from === '') {",
  ),
  mutant(
    'an answer to another request counts',
    HTTP,
    `${TRANSPORT}/peers.ts`,
    'if (frame.message.type !== `${message.type}Response` || frame.message.requestId !== message.requestId) {',
    'if (frame.message.type !== `${message.type}Response`) {',
  ),
  mutant(
    'a copy of a disk is believed without a question',
    IDENTITIES,
    `${TRANSPORT}/peer-identities.ts`,
    "if (!isMember || (by === 'answer' && !other?.hasCounted)) {",
    'if (!isMember || !other?.hasCounted) {',
  ),
  mutant(
    'a process counts where nobody answers at the address',
    inScenario('a copy of a disk on the other side of a partition'),
    `${TRANSPORT}/peer-identities.ts`,
    "if (resident === bootId) return 'counts';",
    "if (resident === bootId || resident === undefined) return 'counts';",
  ),
  mutant(
    'an answer of a process that was replaced counts again',
    IDENTITIES,
    `${TRANSPORT}/peer-identities.ts`,
    "(by === 'answer' && !other?.hasCounted)",
    "by === 'answer'",
  ),
  mutant(
    'a host that cannot be reached counts as gone',
    inTest(`${TRANSPORT}/probe.test.ts`),
    `${TRANSPORT}/peers.ts`,
    "return error instanceof TransportError && isRefused(error.failure) ? 'gone' : 'unknown';",
    "return error ? 'gone' : 'unknown';",
  ),
  mutant(
    'a damaged frame is taken',
    inTest(`${TRANSPORT}/frame.test.ts`),
    `${TRANSPORT}/frame.ts`,
    "if (r.u32() !== crc32(covered)) throw new FrameError('bad-crc', 'the CRC of the fields is wrong');",
    'void r.u32() ; void covered;',
  ),
  mutant(
    'a request that is not answered waits forever',
    inTest(`${TRANSPORT}/peer-lanes.test.ts`),
    `${TRANSPORT}/lane.ts`,
    'reject(on ? silence(on, ms) : this.notConnected(ms));',
    'void reject;',
  ),
  mutant(
    'heartbeats wait behind payloads',
    inTest(`${TRANSPORT}/peer-lanes.test.ts`),
    `${TRANSPORT}/peer-lanes.ts`,
    "return type === 'entryChunk' || type === 'snapshotChunk' || type === 'snapshot' ? 'pieces' : 'control';",
    "return type === 'entryChunk' || type === 'snapshotChunk' || type === 'snapshot' ? 'pieces' : 'bulk';",
  ),
  mutant(
    'a snapshot is sent from its beginning whatever is there',
    inTest(`${TRANSPORT}/send-in-pieces.test.ts`),
    `${TRANSPORT}/send-in-pieces.ts`,
    'let received = options.from ?? checked(await options.send(0, new Uint8Array(0)), byteLength);',
    'let received = (options.from ?? checked(await options.send(0, new Uint8Array(0)), byteLength)) * 0;',
  ),
];
