import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { isDiskFailure, type StorageError } from '../storage/errors.js';
import type { Identity, Storage } from '../storage/storage.js';
import { STOPPED } from './core-pump.js';
import type { Outcome } from './node-options.js';

export interface ClusterIdentityOptions {
  storage: Pick<Storage, 'setClusterId'>;
  logger: Logger;
  /** The cluster could not be written down. */
  onDiskFailure(error: StorageError): void;
}

/** A cluster that is being founded: it exists once the write of its first entry is durable. */
interface Founding {
  clusterId: string;
  /** The write; undefined before it began. */
  seq: number | undefined;
  settle: (isFounded: boolean) => void;
}

/** Whose disk this is, and the cluster that it becomes part of, for good: one that it founds, or one that it joins. */
export class ClusterIdentity {
  private known: Identity | undefined;
  private founding: Founding | undefined;
  private lastChange: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ClusterIdentityOptions) {}

  /** What the disk says. */
  opened(identity: Identity): void {
    this.known = identity;
  }

  get identity(): Identity {
    if (!this.known) throw new Error('the node is not open');
    return this.known;
  }

  /** @throws StorageError when the disk belongs to another cluster */
  adopt(clusterId: string): Promise<void> {
    return this.inTurn(async () => {
      if (this.identity.clusterId === clusterId) return;
      try {
        await this.options.storage.setClusterId(clusterId);
      } catch (error) {
        if (isDiskFailure(error)) this.options.onDiskFailure(error);
        throw error;
      }
      this.belongsTo(clusterId);
    });
  }

  /**
   * @param begin makes the first entry; what it has written then carries the id of the cluster, so that a process which is
   *   killed meanwhile leaves an empty disk or a founded cluster behind
   */
  found(begin: () => Promise<Outcome<object>>): Promise<Outcome<object>> {
    return this.inTurn(async () => {
      const { clusterId } = this.identity;
      if (clusterId !== null) {
        const detail = `this disk belongs to cluster ${clusterId}`;
        return { outcome: 'rejected', reason: 'not-empty', detail };
      }
      const founded = new Promise<boolean>((settle) => {
        this.founding = { clusterId: randomBytes(16).toString('hex'), seq: undefined, settle };
      });
      const outcome = await begin();
      if (outcome.outcome !== 'done') {
        this.founding = undefined;
        return outcome;
      }
      return (await founded) ? outcome : STOPPED;
    });
  }

  /** The cluster that the write `seq` founds; undefined for every other. */
  foundedBy(seq: number): string | undefined {
    const { founding } = this;
    if (!founding || founding.seq !== undefined) return undefined;
    founding.seq = seq;
    return founding.clusterId;
  }

  stored(seq: number): void {
    const { founding } = this;
    if (founding?.seq !== seq) return;
    this.founding = undefined;
    this.belongsTo(founding.clusterId);
    founding.settle(true);
  }

  /** No write ends any more. */
  end(): void {
    this.founding?.settle(false);
  }

  /** One change at a time: the second is measured against the first. */
  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.lastChange.then(change);
    this.lastChange = turn.catch(() => undefined);
    return turn;
  }

  private belongsTo(clusterId: string): void {
    this.known = { ...this.identity, clusterId };
    this.options.logger.info({ clusterId }, 'joined a cluster');
  }
}
