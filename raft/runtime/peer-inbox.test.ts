import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { Stimulus } from '../core/inputs.js';
import type { ResponseMessage, SnapshotRequest } from '../core/messages.js';
import type { SnapshotMeta } from '../core/stored-state.js';
import type { SnapshotChunkRequest } from '../transport/wire-message.js';
import { PeerInbox } from './peer-inbox.js';

const TERM = 5;

const meta: SnapshotMeta = {
  index: 9,
  term: 4,
  chainHash: 9,
  configuration: { index: 1, configuration: { members: [] } },
};
const snapshotWithoutData: SnapshotRequest = {
  ...{ type: 'snapshot', term: TERM, requestId: 3 },
  snapshot: { ...meta, data: undefined },
};

describe('the inbox of a node', () => {
  let delivered: Stimulus[];
  let kept: SnapshotChunkRequest[];
  let errors: Error[];
  let isRunning: boolean;
  /** The disk's answer to a piece, and to the request for the whole. */
  let keep: () => Promise<number | null>;
  let whole: SnapshotRequest | undefined;
  let inbox: PeerInbox;

  beforeEach(() => {
    [delivered, kept, errors] = [[], [], []];
    isRunning = true;
    keep = async () => 7;
    whole = undefined;
    inbox = new PeerInbox({
      nodeId: 'a',
      identity: () => ({ nodeId: 'a', incarnation: 'disk', clusterId: 'cluster' }),
      adoptCluster: async () => undefined,
      term: () => TERM,
      pump: {
        get isRunning() {
          return isRunning;
        },
        deliver: (stimulus: Stimulus) => void delivered.push(stimulus),
      },
      snapshots: {
        keep: (_, chunk) => {
          kept.push(chunk);
          return keep();
        },
        complete: async () => whole,
      },
      crashEvidence: false,
      leader: () => null,
      probe: async () => 'unknown',
      writingForMs: () => 0,
      onIdentityUsedTwice: () => undefined,
      logger: pino({ level: 'silent' }),
      onError: (error) => errors.push(error),
    });
  });

  const chunk = (term: number): SnapshotChunkRequest => ({
    ...{ type: 'snapshotChunk', term, requestId: 1, offset: 0, data: Uint8Array.of(1, 2) },
    snapshot: { ...meta, byteLength: 7, crc: 0 },
  });

  it('keeps a piece of a snapshot, and answers how much is there', async () => {
    expect(await inbox.onSnapshotChunk('b', chunk(TERM))).toBe(7);
    expect(kept).toHaveLength(1);
  });

  it('keeps no piece of a sender that no longer leads, nor after the end', async () => {
    expect(await inbox.onSnapshotChunk('b', chunk(TERM - 1))).toBeNull();
    isRunning = false;
    expect(await inbox.onSnapshotChunk('b', chunk(TERM))).toBeNull();
    expect(kept).toEqual([]);
  });

  it('reports a disk that cannot keep a piece', async () => {
    keep = () => Promise.reject(new Error('no space'));
    expect(await inbox.onSnapshotChunk('b', chunk(TERM))).toBeNull();
    expect(errors.map(({ message }) => message)).toEqual(['no space']);
  });

  describe('for a snapshot whose data came before it', () => {
    /** The immediate answers. */
    async function answersTo(message: SnapshotRequest): Promise<(ResponseMessage | null)[]> {
      const answers: (ResponseMessage | null)[] = [];
      inbox.onRequest('b', message, (response) => answers.push(response));
      await new Promise((resolve) => setImmediate(resolve));
      return answers;
    }

    it('passes it on complete', async () => {
      whole = { ...snapshotWithoutData, snapshot: { ...meta, data: Uint8Array.of(1) } };
      expect(await answersTo(snapshotWithoutData)).toEqual([]);
      expect(delivered).toEqual([{ type: 'message', from: 'b', message: whole }]);
    });

    it('passes nothing on, and does not answer, while the data are incomplete', async () => {
      expect(await answersTo(snapshotWithoutData)).toEqual([null]);
      expect(delivered).toEqual([]);
    });
  });
});
