import { isKeptByMajority } from './invariants/invariant.js';
import { check } from '../checks/violation.js';
import type { World } from './world.js';

/**
 * I10 and I25, at the end: all nodes lose power. Each disk passes the checks of a start, its snapshot is the state that
 * results from the committed entries, and everything ever committed is on a majority.
 */
export function scanDisks(world: World): void {
  const { ledger, nodes } = world;
  for (const node of nodes) node.crash();
  for (const { id, disk, diskIsLost } of nodes) {
    if (diskIsLost) continue;
    const damage = disk.open(true) ?? disk.damage();
    check(damage === undefined, 'I25', () => `the disk of ${id} is not whole: ${damage}`);
    const { snapshot } = disk;
    if (!snapshot) continue;
    const entry = ledger.at(snapshot.index);
    check(
      entry?.chainHash === snapshot.chainHash && stateHashOf(snapshot.data) === entry.stateHash,
      'I25',
      () => `the snapshot of ${id} at ${snapshot.index} is not what the committed entries make`,
    );
  }
  if (ledger.lastIndex === 0) return;
  check(
    isKeptByMajority(world, ledger.last),
    'I10',
    () => `committed entry ${ledger.lastIndex} is not on the disks of a majority`,
  );
}

const stateHashOf = (snapshot: Uint8Array): number =>
  new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength).getUint32(4);
