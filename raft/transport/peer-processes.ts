import type { NodeId } from '../core/configuration.js';
import type { Refusal } from './errors.js';
import { commonVersion, isWireVersions, type WireVersions } from './wire-versions.js';

/** The process that speaks for each peer, and the wire version that it understands. */
export class PeerProcesses {
  /** Of each peer the process that spoke last, and the one before it. */
  private readonly boots = new Map<NodeId, { current: string; before: string | undefined }>();
  /** What to speak with a peer, where that is not the newest. */
  private readonly speaks = new Map<NodeId, number>();

  constructor(
    private readonly own: WireVersions,
    /** Another process speaks for this peer than before. */
    private readonly onRestarted: (peer: NodeId) => void,
  ) {}

  /** The process that spoke last. */
  bootId(peer: NodeId): string | undefined {
    return this.boots.get(peer)?.current;
  }

  /** What a dead process had sent may arrive after the first words of the next: that is no further restart. */
  noteBoot(peer: NodeId, bootId: string): void {
    const known = this.boots.get(peer);
    if (known?.current === bootId || known?.before === bootId) return;
    this.boots.set(peer, { current: bootId, before: known?.current });
    if (!known) return;
    // It may have been upgraded.
    this.speaks.delete(peer);
    this.onRestarted(peer);
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
   * The peer refused a frame of this version. If that was because of the version, it gets another from now on.
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
