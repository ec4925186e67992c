import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { chainHash } from '../core/chain-hash.js';
import { encodeConfiguration, type Configuration, type Member } from '../core/configuration.js';
import type { LoadedEntry } from '../core/entries.js';
import type { Persist } from '../core/outputs.js';
import type { ClusterTiming } from '../core/timing.js';
import { openDatabase } from '../storage/database.js';
import { StorageError } from '../storage/errors.js';
import { IDENTITY_KEY } from '../storage/keys.js';
import { changesIn, recover as recoverState } from '../storage/level-recovery.js';
import { seal } from '../storage/records.js';
import type { Identity } from '../storage/storage.js';
import { WriteMark } from '../storage/write-mark.js';
import { planWrite } from '../storage/write-plan.js';
import { inspectDirectory, type Inspection, type LogVisitor } from './inspect.js';

/** What a recovery makes of a directory. */
export interface RecoveryPlan {
  inspection: Inspection;
  /** Identity before and after: another cluster, another disk, the next epoch. */
  before: Identity;
  after: Identity;
  /** Members of the old cluster that are not in the new one. */
  lostMembers: readonly Member[];
  /** The one voter of the new cluster. */
  member: Member;
  /** The cluster's timing, which does not change. */
  timing: ClusterTiming | undefined;
  /** Entries above this index may never have been committed. The recovery commits them. */
  commitKnown: number;
}

const WRITE_BUFFER_BYTES = 8 << 20;

/**
 * What `recoverDirectory` would do. Changes nothing.
 *
 * @param address consensus address of the node, if it has changed
 * @throws StorageError what is wrong with the directory: only a sound one can be recovered
 */
export async function planRecovery(
  directory: string,
  address: string | undefined,
  visitor?: LogVisitor,
): Promise<RecoveryPlan> {
  const inspection = await inspectDirectory(directory, visitor);
  const { identity, hardState } = inspection;
  const failed = inspection.checks.find(({ error }) => error !== undefined);
  if (failed?.error) throw failed.error;
  if (!inspection.ok || !identity || !hardState) {
    throw new StorageError('damaged-database', `${directory} could not be read completely`, { directory });
  }
  const { members, timing }: Configuration = inspection.configurations.at(-1)?.configuration ?? {
    members: [],
  };
  const own = members.find(({ id }) => id === identity.nodeId);
  const consensusAddress = address ?? own?.address;
  if (identity.clusterId === null || members.length === 0 || consensusAddress === undefined) {
    const seen = `${directory} is that of ${identity.nodeId}, which was never a member of a cluster`;
    throw new StorageError('not-recoverable', seen, { directory, nodeId: identity.nodeId });
  }
  // Also a new disk identity: what the old cluster knows of this disk must not count in the new one.
  const incarnation = randomBytes(16).toString('hex');
  return {
    inspection,
    before: identity,
    after: {
      nodeId: identity.nodeId,
      incarnation,
      clusterId: randomBytes(16).toString('hex'),
      epoch: (identity.epoch ?? 0) + 1,
    },
    lostMembers: members.filter(({ id }) => id !== identity.nodeId),
    timing,
    member: { id: identity.nodeId, address: consensusAddress, incarnation, voter: true },
    commitKnown: hardState.commit,
  };
}

/**
 * Permanently turns one surviving directory into a cluster of one voter: a new cluster id, and a configuration with only
 * this node at the end of the log. All in one synced batch, so that there is never a lone voter of the old cluster. From
 * then on this node and those of the old cluster refuse each other.
 *
 * @throws StorageError
 */
export async function recoverDirectory(plan: RecoveryPlan): Promise<void> {
  const { before, after, member, timing, inspection } = plan;
  const { directory } = inspection;
  const database = await openDatabase(directory, WRITE_BUFFER_BYTES);
  try {
    const { mark, lastWriteSeq } = await WriteMark.open(directory);
    try {
      const { log } = await recoverState(database, directory, before.nodeId, lastWriteSeq);
      if (log.manifest.writeSeq !== inspection.writeSeq) {
        throw new StorageError('locked', `${directory} has been used since it was inspected`, { directory });
      }
      const order = soleVoter(
        { members: [member], ...(timing ? { timing } : {}) },
        log.manifest.last,
        log.manifest.hardState.term + 1,
        log.manifest.hardState.commit,
      );
      const { operations, next } = planWrite(log, order, log.manifest.last);
      await database
        .batch([...operations, { type: 'put', key: IDENTITY_KEY, value: seal(after) }], { sync: true })
        .catch((cause: Error) => {
          throw new StorageError('io', `${directory}: ${cause.message}`, { directory }, { cause });
        });
      mark.set(changesIn(after, next.manifest));
    } finally {
      await mark.close();
    }
  } finally {
    await database.close();
  }
}

/** The write that appends the new configuration, in a term without any votes. */
function soleVoter(
  configuration: Configuration,
  last: { index: number; chainHash: number },
  term: number,
  commit: number,
): Persist {
  const data = encodeConfiguration(configuration);
  const header = {
    index: last.index + 1,
    term,
    kind: 'config' as const,
    byteLength: data.length,
    crc: crc32(data),
  };
  const entry: LoadedEntry = { ...header, chainHash: chainHash(last.chainHash, header), data };
  return {
    type: 'persist',
    seq: 0,
    hardState: { term, votedFor: null, commit },
    truncateFrom: undefined,
    entries: [entry],
    snapshot: undefined,
    resetLog: false,
  };
}
