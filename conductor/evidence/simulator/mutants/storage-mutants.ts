import { bySeeds, inTest, mutant, type Mutant } from './mutant.js';

const STORAGE = 'raft/storage';
const LEVEL = inTest(`${STORAGE}/level-storage.test.ts`);

/** Mutants of storage. */
export const storageMutants: readonly Mutant[] = [
  mutant(
    'a truncated tail stays in the log',
    bySeeds,
    `${STORAGE}/memory-storage.ts`,
    'disk.entries.filter((entry) => entry.index <= index);',
    'disk.entries.filter((entry) => entry.index <= index + 1);',
  ),
  mutant(
    'a write after one that failed may succeed',
    LEVEL,
    `${STORAGE}/level-storage.ts`,
    'this.#failure ??= this.#asStorageError(error); return this.#failure;',
    'return this.#asStorageError(error);',
  ),
  mutant(
    'two writes run at once',
    LEVEL,
    `${STORAGE}/level-storage.ts`,
    'if (this.#writing) throw concurrentWrite(persist);',
    '',
  ),
  mutant(
    'a database that lost a confirmed write is opened',
    LEVEL,
    `${STORAGE}/level-recovery.ts`,
    'if (foundSeq < confirmedSeq) throw lostWrite(foundSeq, confirmedSeq, directory);',
    '',
  ),
  mutant(
    'a database that lost everything is taken for a new one',
    LEVEL,
    `${STORAGE}/level-recovery.ts`,
    'if (confirmedSeq > 0) throw lostWrite(0, confirmedSeq, directory);',
    '',
  ),
  mutant(
    'a confirmed write is not marked',
    LEVEL,
    `${STORAGE}/level-storage.ts`,
    'mark.set(changesIn(opened.identity, next.manifest));',
    '',
  ),
  mutant(
    'the disk of another node is opened',
    LEVEL,
    `${STORAGE}/checks.ts`,
    'if (identity.nodeId === nodeId) return;',
    'if (identity.nodeId !== undefined) return;',
  ),
  mutant(
    'a disk changes its cluster',
    LEVEL,
    `${STORAGE}/checks.ts`,
    'if (identity.clusterId === null || identity.clusterId === clusterId) return',
    'if (identity.clusterId !== undefined) return',
  ),
  mutant(
    'a log with a hole is opened',
    LEVEL,
    `${STORAGE}/checks.ts`,
    'if (position.index < manifest.last.index) throw missingEntry(position.index + 1);',
    '',
  ),
  mutant(
    'a damaged entry is read',
    inTest('raft/runtime/raft-node-trouble.test.ts'),
    `${STORAGE}/checks.ts`,
    'if (data?.length === header.byteLength && crc32(data) === header.crc) return { ...header, data };',
    'if (data?.length === header.byteLength) return { ...header, data };',
  ),
  mutant(
    'a damaged record is read',
    inTest(`${STORAGE}/records.test.ts`),
    `${STORAGE}/records.ts`,
    'if (record.readUInt32BE(0) !== crc32(json)) return undefined;',
    '',
  ),
  mutant(
    'pieces of two snapshots become one',
    LEVEL,
    `${STORAGE}/snapshot-inbox.ts`,
    'if (this.#incoming === undefined || !isSameSnapshot(this.#incoming.id, id)) {',
    'if (this.#incoming === undefined) {',
  ),
  mutant(
    'a snapshot with a damaged piece is installed',
    LEVEL,
    `${STORAGE}/snapshot-inbox.ts`,
    'return bytesRead === data.length && crc32(data) === id.crc ? data : undefined;',
    'return bytesRead === data.length ? data : undefined;',
  ),
  mutant(
    'a snapshot is installed before it is whole',
    LEVEL,
    `${STORAGE}/snapshot-inbox.ts`,
    'if (received < id.byteLength) return undefined;',
    'if (received === 0) return undefined;',
  ),
  mutant(
    'entries that were cut stay on disk',
    LEVEL,
    `${STORAGE}/write-plan.ts`,
    '...deletions(last.index + 1, manifest.last.index),',
    '',
  ),
];
