import { answering } from '../../../verdict/cluster-view.js';
import type { ClusterFacts } from '../facts.js';
import { failure, ok, warning, type Finding } from './finding.js';

const MIB = 1 << 20;
/** Factor of the log's present size: during compaction it exists twice, and parts of it more often. */
const COMFORTABLE_LOGS = 4;
/** However large the log is now, it grows. */
const LITTLE_BYTES = 256 * MIB;
const FULL_BYTES = 64 * MIB;

/** Whether the disks of the members have enough space. */
export function judgeMemberDisks({ view }: ClusterFacts): Finding[] {
  const told = answering(view).flatMap(({ id, status: { machine, logBytes } }) =>
    machine ? [{ id, storage: machine.storage, logBytes }] : [],
  );
  const found = told.flatMap(({ id, storage, logBytes }): Finding[] => {
    if (!storage) return [warning('disk-space', 'disk-silent', `the free space of ${id} is unknown`)];
    const { freeBytes, sizeBytes } = storage;
    const seen = `${id}: ${mib(freeBytes)} free of ${mib(sizeBytes)}, its log has ${mib(logBytes)}`;
    if (freeBytes < Math.max(logBytes, FULL_BYTES)) return [failure('disk-space', 'disk-full', seen)];
    if (freeBytes < Math.max(COMFORTABLE_LOGS * logBytes, LITTLE_BYTES)) {
      return [warning('disk-space', 'little-space', seen)];
    }
    return [];
  });
  if (found.length > 0 || told.length === 0) return found;
  const least = Math.min(...told.map(({ storage }) => storage?.freeBytes ?? Infinity));
  return [ok('disk-space', `at least ${mib(least)} free`)];
}

const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
