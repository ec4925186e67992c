import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

/** How long a connection waits for a look-up before it uses the last known addresses. */
const PATIENCE_MS = 250;

interface Entry {
  /** The look-up in progress. */
  pending: Promise<LookupAddress[]> | undefined;
  /** The last result. */
  known: LookupAddress[] | undefined;
}

type Resolve = (hostname: string, options: { all: true; family: number }) => Promise<LookupAddress[]>;

/**
 * Look-ups of names for connections: at most one per name is in progress, for any number of waiting callers. Each occupies
 * one of libuv's few threads until the name server answers, so a slow name server would delay all other look-ups, even
 * that of localhost. While one hangs, the last known addresses are used.
 */
export class NameLookup {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly resolve: Resolve = dns.promises.lookup,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** For `lookup` of `net.connect` and everything built on it. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const family = familyOf(options);
    this.addresses(hostname, family).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all) callback(null, addresses);
        else if (first) callback(null, first.address, first.family);
        else callback(Object.assign(new Error(`no address of ${hostname}`), { code: 'ENOTFOUND' }), '', 0);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };

  private async addresses(hostname: string, family: number): Promise<LookupAddress[]> {
    const literal = isIP(hostname);
    if (literal !== 0) return [{ address: hostname, family: literal }];
    const entry = this.entryOf(`${family} ${hostname}`);
    entry.pending ??= this.ask(entry, hostname, family);
    const { pending, known } = entry;
    if (!known) return pending;
    return within(this.patienceMs, pending, known).catch((error: NodeJS.ErrnoException) => {
      // No answer said that the name is gone.
      if (error.code === 'EAI_AGAIN') return known;
      throw error;
    });
  }

  private async ask(entry: Entry, hostname: string, family: number): Promise<LookupAddress[]> {
    try {
      entry.known = await this.resolve(hostname, { all: true, family });
      return entry.known;
    } finally {
      entry.pending = undefined;
    }
  }

  private entryOf(key: string): Entry {
    let entry = this.entries.get(key);
    if (!entry) this.entries.set(key, (entry = { pending: undefined, known: undefined }));
    return entry;
  }
}

/** Shared by the process, whose clients dial the same few names. */
export const names = new NameLookup();

function familyOf({ family }: LookupOptions): number {
  if (family === 'IPv4') return 4;
  return family === 'IPv6' ? 6 : (family ?? 0);
}

/** "No such name" is an answer as well. */
async function within<T>(timeoutMs: number, pending: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => (timer = setTimeout(() => resolve(otherwise), timeoutMs)));
  return Promise.race([pending, late]).finally(() => clearTimeout(timer));
}
