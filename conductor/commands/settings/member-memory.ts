import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { parseEndpoint } from '../../../common/endpoint.js';
import type { ClusterView } from '../../verdict/cluster-view.js';
import { memberUrl } from '../cluster/member-url.js';
import type { Target } from './target.js';

/** How many clusters are remembered; the one not seen for the longest time is forgotten first. */
const CLUSTERS_MAX = 32;

const rememberedSchema = z.object({
  /** Wall clock in milliseconds. */
  seenAtMs: z.number(),
  clusterId: z.string(),
  members: z.array(z.object({ id: z.string(), url: z.url() })).max(64),
});
const fileSchema = z.object({ version: z.literal(1), clusters: z.record(z.string(), rememberedSchema) });

type Clusters = z.infer<typeof fileSchema>['clusters'];

/** Members of a cluster as they were last seen, each with its RPC. */
export type RememberedMembers = z.infer<typeof rememberedSchema>;

interface MemoryOptions {
  /** Undefined: nothing is remembered. */
  file: string | undefined;
  target: Pick<Target, 'urls' | 'name'>;
  note: (line: string) => void;
  now?: () => number;
}

/**
 * Members that commands saw in the clusters of this user, for when the named ones do not answer. It is only a help, and
 * nothing depends on it: a file that cannot be read or written is left alone.
 */
export class MemberMemory {
  private readonly key: string;
  private kept: string | undefined;

  constructor(private readonly options: MemoryOptions) {
    const { name, urls } = options.target;
    // By scheme, host and port: user names and passwords are not stored.
    const origins = urls.map((url) => parseEndpoint(url).origin).sort();
    this.key = name === undefined ? origins.join(' ') : `cluster ${name}`;
  }

  /** Undefined if nothing is known. */
  async recall(): Promise<RememberedMembers | undefined> {
    return (await this.read())[this.key];
  }

  /** Stores the members, once while they stay the same. */
  async remember({ clusterId, members }: ClusterView): Promise<void> {
    const { file, now = Date.now } = this.options;
    const seen = members.flatMap((member) => {
      const url = memberUrl(member);
      return url === undefined ? [] : [{ id: member.id, url }];
    });
    const same = JSON.stringify([clusterId, seen]);
    if (file === undefined || clusterId === null || seen.length === 0 || same === this.kept) return;
    this.kept = same;
    const before = await this.read();
    const known = before[this.key];
    // A member that does not answer now may be the one that answers when the others do not.
    const silent =
      known?.clusterId === clusterId
        ? known.members.filter(
            ({ id }) =>
              members.some((member) => member.id === id) && !seen.some((member) => member.id === id),
          )
        : [];
    const entry = { seenAtMs: now(), clusterId, members: [...seen, ...silent] };
    const clusters = Object.entries({ ...before, [this.key]: entry })
      .sort(([, a], [, b]) => b.seenAtMs - a.seenAtMs)
      .slice(0, CLUSTERS_MAX);
    await write(file, JSON.stringify({ version: 1, clusters: Object.fromEntries(clusters) }));
  }

  private read(): Promise<Clusters> {
    const { file, note } = this.options;
    return readMemory(file, () => note(`${file} is damaged and was ignored: it is written anew`));
  }
}

/** All remembered clusters, by the name or address they were called by. */
export async function readMemory(
  file: string | undefined,
  onDamage: () => void = () => undefined,
): Promise<Clusters> {
  const text = file === undefined ? undefined : await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  try {
    return fileSchema.parse(JSON.parse(text)).clusters;
  } catch {
    onDamage();
    return {};
  }
}

/** All or nothing, since two commands may write at once. */
async function write(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, file);
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}
