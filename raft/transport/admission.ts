import type { IncomingHttpHeaders } from 'node:http';
import type { NodeId } from '../core/configuration.js';
import { mayComeFromAnyDisk } from './incarnation-policy.js';
import { FrameError } from './errors.js';
import { checkVersion, type Frame, type FrameAddress } from './frame.js';
import { readFrameHeaders, type FrameHeaders } from './frame-headers.js';
import type { WireVersions } from './wire-versions.js';

export interface AdmissionOptions {
  nodeId: () => NodeId;
  clusterId: () => string | null;
  incarnation: () => string;
  /** The disk that a member of the configuration has; undefined for others. */
  memberIncarnation: (peer: NodeId) => string | undefined;
  bodyLimitBytes: number;
  wireVersions: WireVersions;
  /** A member of another cluster took this address for that of one of its members. */
  onStray: (clusterId: string) => void;
}

/** Which frames count here. State stays untouched unless every part of the address is right. */
export class Admission {
  constructor(private readonly options: AdmissionOptions) {}

  /** @throws FrameError when the body need not be read */
  checkHeaders(headers: IncomingHttpHeaders): FrameHeaders {
    const { wireVersions, bodyLimitBytes } = this.options;
    const found = readFrameHeaders(headers);
    // Before anything is refused: a cluster is alive at any wire version.
    if (this.isStray(found)) this.options.onStray(found.clusterId);
    checkVersion(found.version, wireVersions);
    this.checkTarget(found);
    if (found.byteLength <= bodyLimitBytes) return found;
    throw new FrameError('too-large', `a frame of ${found.byteLength} bytes, the limit is ${bodyLimitBytes}`);
  }

  /** @param answering the member whose answer this frame is; undefined for a request. @throws FrameError */
  check(frame: Frame, answering: NodeId | undefined): void {
    const nodeId = this.options.nodeId();
    if (frame.to !== nodeId)
      throw new FrameError('wrong-node', `frame for ${frame.to}, this node is ${nodeId}`);
    this.checkTarget(frame);
    if (answering !== undefined && frame.from !== answering) {
      throw new FrameError('wrong-node', `${frame.from} answered instead of ${answering}`);
    }
    const known = this.options.memberIncarnation(frame.from);
    if (known !== undefined && known !== frame.fromIncarnation && !mayComeFromAnyDisk(frame.message)) {
      throw wrongDisk(frame, known);
    }
    const isResponse = frame.message.type.endsWith('Response');
    if (isResponse !== (answering !== undefined))
      throw new FrameError('malformed', `unexpected ${frame.message.type}`);
  }

  /**
   * A member's request takes effect even when the sender's vote does not count, so nobody else may send one.
   *
   * @throws FrameError
   */
  checkAsker({ from, fromIncarnation, to }: Pick<FrameAddress, 'from' | 'fromIncarnation' | 'to'>): void {
    const nodeId = this.options.nodeId();
    if (to !== nodeId) throw new FrameError('wrong-node', `request for ${to}, this node is ${nodeId}`);
    const known = this.options.memberIncarnation(from);
    if (known === undefined) {
      throw new FrameError('not-a-member', `${from} is not a member of this cluster`);
    }
    if (known !== fromIncarnation) throw wrongDisk({ from, fromIncarnation }, known);
  }

  /** A node without a cluster may be taken into any, by frames for its disk. */
  private isStray({ clusterId, toIncarnation }: FrameHeaders): boolean {
    const own = this.options.clusterId();
    return own === null ? toIncarnation !== this.options.incarnation() : clusterId !== own;
  }

  private checkTarget({ clusterId, toIncarnation }: Pick<FrameHeaders, 'clusterId' | 'toIncarnation'>): void {
    const { nodeId, incarnation } = this.options;
    const own = this.options.clusterId();
    if (own !== null && clusterId !== own) {
      throw new FrameError('wrong-cluster', `frame of cluster ${clusterId}, this node is of ${own}`);
    }
    if (toIncarnation !== incarnation()) {
      throw new FrameError(
        'wrong-incarnation',
        `frame for disk ${toIncarnation} of ${nodeId()}, this one is ${incarnation()}`,
      );
    }
  }
}

function wrongDisk(
  { from, fromIncarnation }: Pick<FrameAddress, 'from' | 'fromIncarnation'>,
  known: string,
): FrameError {
  return new FrameError(
    'wrong-incarnation',
    `${from} uses disk ${fromIncarnation}, but the member has ${known}`,
  );
}
