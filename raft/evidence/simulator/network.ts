import type { NodeId } from '../../core/configuration.js';
import type { Message, RequestMessage } from '../../core/messages.js';
import { frameBytes, isBulk, isLostBy, type Hindrance } from './hindrances.js';
import type { Process } from './machine.js';
import type { NodeEnvironment } from './node-environment.js';
import type { SimulatedNode } from './node.js';
import type { NetworkOptions } from './options.js';

const REQUESTS: ReadonlySet<Message['type']> = new Set<RequestMessage['type']>([
  'preVote',
  'vote',
  'append',
  'heartbeat',
  'snapshot',
  'timeoutNow',
]);

const FREE: Hindrance = {};

/** What the network needs of the world. */
interface NetworkEnvironment extends Pick<
  NodeEnvironment,
  'queue' | 'rng' | 'options' | 'coreHost' | 'count' | 'disksReplaced'
> {
  readonly node: (id: NodeId) => SimulatedNode;
}

/** Loses, delays, repeats and reorders messages; links are cut in one direction at a time. */
export class Network {
  private readonly cut = new Set<number>();
  private readonly severed = new Set<number>();
  private readonly lastArrivalByLink = new Map<number, number>();
  private readonly cloggedUntilMs = new Map<number, number>();
  private readonly hindrances = new Map<number, Hindrance>();
  /** Cuts that healing does not end. */
  private readonly lasting = new Map<number, Hindrance>();
  /** When the last message in flight will arrive. */
  lastArrivalMs = 0;

  constructor(
    private readonly world: NetworkEnvironment,
    public options: NetworkOptions,
  ) {}

  cutLink(from: SimulatedNode, to: SimulatedNode): void {
    this.cut.add(linkOf(from, to));
  }

  /** From now on nothing arrives, not even messages in flight. */
  sever(from: SimulatedNode, to: SimulatedNode): void {
    this.severed.add(linkOf(from, to));
  }

  mendLink(from: SimulatedNode, to: SimulatedNode): void {
    this.cut.delete(linkOf(from, to));
  }

  hinderLink(from: SimulatedNode, to: SimulatedNode, hindrance: Hindrance): void {
    this.hindrances.set(linkOf(from, to), hindrance);
  }

  freeLink(from: SimulatedNode, to: SimulatedNode): void {
    this.hindrances.delete(linkOf(from, to));
  }

  /** From now on, as `sever`. */
  hinderForGood(from: SimulatedNode, to: SimulatedNode, hindrance: Hindrance): void {
    this.lasting.set(linkOf(from, to), hindrance);
  }

  clogLink(from: SimulatedNode, to: SimulatedNode, untilMs: number): void {
    this.cloggedUntilMs.set(linkOf(from, to), untilMs);
  }

  /** All links work and are empty, except the severed ones. */
  mendAll(): void {
    this.cut.clear();
    this.hindrances.clear();
    this.cloggedUntilMs.clear();
    this.lastArrivalByLink.clear();
  }

  joinSevered(): void {
    this.severed.clear();
    this.lasting.clear();
  }

  isHinderedForGood(from: SimulatedNode): boolean {
    return [...this.lasting.keys()].some((link) => Math.floor(link / 64) === from.slot);
  }

  private hindranceOf(from: SimulatedNode, to: SimulatedNode): Hindrance {
    const link = linkOf(from, to);
    return this.lasting.get(link) ?? this.hindrances.get(link) ?? FREE;
  }

  isCut(from: SimulatedNode, to: SimulatedNode): boolean {
    return this.cut.has(linkOf(from, to));
  }

  send(from: SimulatedNode, process: Process, to: NodeId, message: Message): void {
    const { world, options } = this;
    const target = world.node(to);
    if (world.options.freezeMessages) freeze(message);
    // The transport addresses a disk, not a name. A response goes back to the sender of the request.
    const isRequest = REQUESTS.has(message.type);
    if (isRequest) process.requests.begin(to, message.requestId);
    const receiver = isRequest ? this.diskKnownTo(process, to) : target.incarnation;
    const sender = from.incarnation;
    const copies = options.duplicateChance > 0 && world.rng.chance(options.duplicateChance) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.isCut(from, target)) {
        world.count('message cut');
      } else if (isLostBy(this.hindranceOf(from, target), message)) {
        world.count('large frame lost');
        this.reportFirstPiece(from, process, target, message);
      } else if (options.lossChance > 0 && world.rng.chance(options.lossChance)) {
        world.count('message lost');
      } else {
        if (copy > 0) world.count('message repeated');
        const at = this.arrivalMs(from, target, message);
        this.lastArrivalMs = Math.max(this.lastArrivalMs, at);
        this.reportProgress(from, process, target, message, at);
        world.queue.at(at, () => this.arrive(from, process, target, message, sender, receiver));
      }
    }
  }

  private arrivalMs(from: SimulatedNode, to: SimulatedNode, message: Message): number {
    const { world, options } = this;
    let delayMs = options.delayMinMs + world.rng.exponential(options.delayMeanMs);
    if (options.spikeChance > 0 && world.rng.chance(options.spikeChance)) {
      delayMs += world.rng.exponential(options.spikeMeanMs);
      world.count('message very late');
    }
    const { bytesPerMs } = this.hindranceOf(from, to);
    if (message.type === 'append') {
      for (const entry of message.entries) delayMs += entry.byteLength / (bytesPerMs ?? options.bytesPerMs);
    }
    const link = linkOf(from, to);
    const at = Math.max(world.queue.nowMs, this.cloggedUntilMs.get(link) ?? 0) + delayMs;
    if (!options.fifo || (bytesPerMs !== undefined && isBulk(message))) return at;
    const inOrder = Math.max(at, this.lastArrivalByLink.get(link) ?? 0);
    this.lastArrivalByLink.set(link, inOrder);
    return inOrder;
  }

  /** The beginning of a lost frame gets through each time it is sent. */
  private reportFirstPiece(
    from: SimulatedNode,
    sender: Process,
    to: SimulatedNode,
    { requestId }: Message,
  ): void {
    const { lossAbove: bytes } = this.hindranceOf(from, to);
    if (!this.options.tellsProgress || bytes === undefined) return;
    this.world.queue.after(this.options.delayMinMs, () => {
      if (from.process !== sender || !sender.requests.waitsFor(requestId)) return;
      from.receive({ type: 'progress', to: to.id, requestId, bytes });
    });
  }

  /** If the transport can tell how much of a large request the peer has, the deadline is one on progress. */
  private reportProgress(
    from: SimulatedNode,
    sender: Process,
    to: SimulatedNode,
    message: Message,
    arrivalMs: number,
  ): void {
    const { queue, options } = this.world;
    if (!this.options.tellsProgress || !isBulk(message)) return;
    if (this.hindranceOf(from, to).bytesPerMs === undefined) return;
    const { requestId } = message;
    const pieceMs = options.timing.requestTimeoutMs / 2;
    const sentMs = queue.nowMs;
    const next = (): void => {
      if (from.process !== sender || !sender.requests.waitsFor(requestId)) return;
      const bytes = Math.floor(((queue.nowMs - sentMs) / (arrivalMs - sentMs)) * frameBytes(message));
      sender.requests.extend(requestId);
      this.world.count('progress of a large frame');
      from.receive({ type: 'progress', to: to.id, requestId, bytes });
      if (queue.nowMs + pieceMs < arrivalMs) queue.after(pieceMs, next);
    };
    if (sentMs + pieceMs < arrivalMs) queue.after(pieceMs, next);
  }

  private arrive(
    from: SimulatedNode,
    sender: Process,
    to: SimulatedNode,
    message: Message,
    fromDisk: string,
    toDisk: string | undefined,
  ): void {
    if (this.severed.has(linkOf(from, to))) return;
    if (!isHeardOf(from, to, message)) {
      this.world.count('message kept from a disk that went back');
      return;
    }
    const { process } = to;
    const isRequest = REQUESTS.has(message.type);
    const { bytesPerMs } = this.hindranceOf(from, to);
    if (bytesPerMs !== undefined && isBulk(message) && !sender.requests.waitsFor(message.requestId)) {
      this.world.count('large frame too slow');
      return;
    }
    if (!process) {
      if (isRequest && this.options.refusals) this.refuse(from, sender, to, message.requestId);
      return;
    }
    if (this.isMisdirected(process, from, to, message, fromDisk, toDisk)) {
      this.world.count('message to or from another disk');
      if (isRequest) this.refuse(from, sender, to, message.requestId);
      return;
    }
    if (!isRequest && !process.requests.end(message.requestId) && !this.options.lateResponses) return;
    to.receive({ type: 'message', from: from.id, message });
  }

  /**
   * As in the transport. A leader or candidate is heard with any disk, because a new follower may know it only from an old
   * configuration in the log. Votes and acknowledgements count only from the member's disk.
   */
  private isMisdirected(
    process: Process,
    from: SimulatedNode,
    to: SimulatedNode,
    message: Message,
    fromDisk: string,
    toDisk: string | undefined,
  ): boolean {
    if (this.world.disksReplaced === 0) return false;
    if (toDisk !== undefined && toDisk !== to.incarnation) return true;
    const known = this.diskKnownTo(process, from.id);
    return known !== undefined && known !== fromDisk && !this.world.coreHost.mayComeFromAnyDisk(message);
  }

  /** The disk that a process believes a member has; undefined for a non-member. */
  private diskKnownTo(process: Process, id: NodeId): string | undefined {
    // No other was ever known. A message may arrive after the first one was replaced.
    if (this.world.disksReplaced === 0) return this.world.node(id).incarnation;
    const { members } = process.ctx.configurations.latest.configuration;
    const member = members.find((known) => known.id === id);
    // A removed node stays connected until it learns of it.
    return (member ?? process.ctx.leadership?.progress.get(id))?.incarnation;
  }

  /** The host of a dead process refuses the connection, and so does a process other than the addressed one. */
  private refuse(from: SimulatedNode, sender: Process, dead: SimulatedNode, requestId: number): void {
    const { world } = this;
    if (this.isCut(dead, from)) return;
    world.queue.after(this.options.delayMinMs, () => {
      if (from.process !== sender) return;
      world.count('connection refused');
      sender.requests.fail(requestId);
      if (this.options.evidence && !dead.isRunning) from.receive({ type: 'peerGone', peer: dead.id });
    });
  }
}

/**
 * A disk that went back may break the promises of its node until the leader that it acknowledged to has told it. With
 * another fault at the same time, no protocol could survive. So until then, only that leader reaches it.
 */
function isHeardOf(from: SimulatedNode, to: SimulatedNode, message: Message): boolean {
  if (from.mayBeBelieved) {
    return message.type === 'heartbeatResponse' && to.id === from.wentBackFrom?.leader;
  }
  if (!to.mayBeBelieved) return true;
  const { leader, term } = to.wentBackFrom ?? {};
  return message.type === 'heartbeat' && from.id === leader && message.term === term;
}

const linkOf = (from: SimulatedNode, to: SimulatedNode): number => from.slot * 64 + to.slot;

function freeze(message: Message): void {
  Object.freeze(message);
  if (message.type === 'append') {
    Object.freeze(message.entries);
    for (const entry of message.entries) Object.freeze(entry);
  }
  if (message.type === 'snapshot') Object.freeze(message.snapshot);
}
