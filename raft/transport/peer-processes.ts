import type { NodeId } from '../core/configuration.js';
import type { Refusal } from './errors.js';
import { commonVersion, isWireVersions, type WireVersions } from './wire-versions.js';

/** The wire version that the process of each peer understands. */
export class PeerProcesses {
  /** The version to speak with a peer, if it is not the newest. */
  private readonly speaks = new Map<NodeId, number>();

  constructor(private readonly own: WireVersions) {}

  /** A new process speaks for this peer, so it may have been upgraded. */
  restarted(peer: NodeId): void {
    this.speaks.delete(peer);
  }

  /** The version to speak with this peer. */
  version(peer: NodeId): number {
    return this.speaks.get(peer) ?? this.own.newest;
  }

  /** The peer itself spoke this version. */
  noteVersion(peer: NodeId, version: number): void {
    if (version > this.version(peer)) this.speaks.set(peer, version);
  }

  /**
   * The peer refused a frame of this version. If the version was the reason, it gets another from now on.
   *
   * @returns the version that both speak; undefined when that would change nothing
   */
  learnVersion(peer: NodeId, version: number, { code, speaks }: Refusal): number | undefined {
    if (code !== 'wrong-version' || !isWireVersions(speaks)) return undefined;
    const common = commonVersion(this.own, speaks);
    if (common === undefined || common === version) return undefined;
    this.speaks.set(peer, common);
    return common;
  }
}
