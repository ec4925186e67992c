import type { NodeId } from '../core/configuration.js';
import { Dial, type DialOptions } from './dial.js';
import { parseHostPort, type HostPort } from './host-port.js';

export interface PeerAddressOptions {
  peer: NodeId;
  /** The address that the cluster has for the peer. */
  listed: string;
  /** Another one that it may have moved to. */
  other: string | undefined;
  dialOptions: DialOptions;
  /** The peer was reached at the other address. */
  onMoved(reached: string): void;
}

/** How long one address is tried while there is another. */
const ONE_OF_TWO_MS = 2000;

/**
 * Where a peer is dialled: at the address that the cluster has for it and, when that leads nowhere or to another node,
 * at the other one, in turn. The node that answers proves by its disk that it is the peer.
 */
export class PeerAddress {
  private readonly addresses: readonly string[];
  private readonly targets: readonly HostPort[];
  private at = 0;
  private isMoveTold = false;

  /** @throws Error when the address that the cluster has is invalid */
  constructor(private readonly options: PeerAddressOptions) {
    const { listed, other } = options;
    this.addresses = other === undefined || other === listed ? [listed] : [listed, other];
    this.targets = this.addresses.map((address) => {
      const target = parseHostPort(address);
      if (!target) throw new Error(`${JSON.stringify(address)} is not of the form host:port`);
      return target;
    });
  }

  /** Where it was last reached, or is being looked for. */
  get current(): string {
    return this.addresses[this.at] as string;
  }

  dial(): Dial {
    const { at } = this;
    const { dialOptions, peer } = this.options;
    const dial = new Dial(this.targets[at] as HostPort, dialOptions, peer);
    if (this.targets.length === 1) return dial;
    const timer = setTimeout(() => dial.abort(), ONE_OF_TWO_MS);
    dial.socket
      .then(() => this.reached(at))
      .catch(() => this.leave(at))
      .finally(() => clearTimeout(timer));
    return dial;
  }

  /** Another node answers at these IP addresses. */
  noteWrong(ipAddresses: readonly string[]): void {
    const { host } = this.targets[this.at] as HostPort;
    for (const address of ipAddresses) this.options.dialOptions.names.noteWrong(host, address);
    if (ipAddresses.length > 0) this.leave(this.at);
  }

  private leave(at: number): void {
    if (this.at === at) this.at = (at + 1) % this.targets.length;
  }

  private reached(at: number): void {
    if (at === 0 || this.isMoveTold) return;
    this.isMoveTold = true;
    this.options.onMoved(this.addresses[at] as string);
  }
}
