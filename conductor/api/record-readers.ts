import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { clusterStatus, type AskStatus } from './cluster-status.js';

/** Longest that the first record waits for other members. */
const TIMEOUT_MS = 1000;

/**
 * Which members are known to read records. A member that does not would end at the first record (`newer-format`), so a
 * member that was never heard counts as unable. If a disk's process could read them once, it counts as able for good.
 */
export class RecordReaders {
  private readonly known = new Set<string>();

  constructor(
    private readonly own: () => ConductorStatus,
    private readonly ask: AskStatus,
    /** What a record of this release requires of its readers. */
    private readonly format: number,
  ) {}

  /** Ids of the members that are not known to read records, after asking them. */
  async missing(): Promise<readonly string[]> {
    const own = this.own();
    const servers = own.membership.servers.filter((server) => !this.known.has(nameOf(server)));
    const asked = { ...own, membership: { ...own.membership, servers } };
    const { members } = await clusterStatus(asked, this.ask, TIMEOUT_MS);
    for (const member of members) {
      if ((member.status?.recordFormat ?? 0) >= this.format) this.known.add(nameOf(member));
    }
    return servers.filter((server) => !this.known.has(nameOf(server))).map(({ id }) => id);
  }
}

/** Another disk under the same id is another member. */
function nameOf({ id, disk }: { id: string; disk?: string | undefined }): string {
  return `${id} ${disk ?? ''}`;
}
