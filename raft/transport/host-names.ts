import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** The IP addresses of a host name, best first. It cannot be aborted, and takes as long as its name server does. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** Finds names as every other program of the host does: /etc/hosts, search domains, order of address families. */
export const systemLookUp: LookUp = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

export interface HostNamesOptions {
  lookUp: LookUp;
  /** A name leads to other addresses than at the previous look-up. */
  onMoved(host: string, from: readonly string[], to: readonly string[]): void;
}

interface Known {
  /** Result of the last look-up. */
  addresses: readonly string[];
  /** Address of the last connection. */
  lastGood: string | undefined;
  underWay: Promise<readonly string[]> | undefined;
}

/**
 * Host names and where they led. A look-up holds one of the threads that disk writes also need, so only one at a time
 * is under way for each name. Its result is kept for callers that could not wait for it, and for times when the name
 * server is slow or dead.
 */
export class HostNames {
  private readonly known = new Map<string, Known>();

  constructor(private readonly options: HostNamesOptions) {}

  /** Looks the name up, or waits for the look-up under way. An IP address is returned as it is. */
  find(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return Promise.resolve([host]);
    const known = this.of(host);
    if (!known.underWay) {
      known.underWay = this.options
        .lookUp(host)
        .then((addresses) => this.found(host, known, addresses))
        .finally(() => (known.underWay = undefined));
    }
    return known.underWay;
  }

  /** Where the name led before, the last good address first; empty for one that never led anywhere. */
  remembered(host: string): readonly string[] {
    const known = this.known.get(host);
    if (!known) return [];
    const { lastGood, addresses } = known;
    return lastGood === undefined ? addresses : [...new Set([lastGood, ...addresses])];
  }

  /** A connection was made there. */
  noteGood(host: string, address: string): void {
    this.of(host).lastGood = address;
  }

  /** A different node answers there: the address is not tried again unless the name leads to it. */
  noteWrong(host: string, address: string): void {
    const known = this.of(host);
    if (known.lastGood === address) known.lastGood = undefined;
    known.addresses = known.addresses.filter((each) => each !== address);
  }

  private found(host: string, known: Known, addresses: readonly string[]): readonly string[] {
    const before = known.addresses;
    known.addresses = addresses;
    if (known.lastGood !== undefined && !addresses.includes(known.lastGood)) known.lastGood = undefined;
    if (before.length > 0 && !isSameSet(before, addresses)) this.options.onMoved(host, before, addresses);
    return addresses;
  }

  private of(host: string): Known {
    const known = this.known.get(host) ?? { addresses: [], lastGood: undefined, underWay: undefined };
    this.known.set(host, known);
    return known;
  }
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each) => other.includes(each));
}
