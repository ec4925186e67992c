import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { isDiskFailure, type StorageError } from '../storage/errors.js';
import type { Identity, Storage } from '../storage/storage.js';
import { STOPPED } from './core-pump.js';
import type { Outcome } from './node-options.js';

export interface ClusterIdentityOptions {
  storage: Pick<Storage, 'setClusterId'>;
  logger: Logger;
  /** The cluster could not be stored. */
  onDiskFailure(error: StorageError): void;
}

/** A cluster in the process of being founded. It exists once the write of its first entry is durable. */
interface Founding {
  clusterId: string;
  /** Sequence number of the write; undefined before it begins. */
  seq: number | undefined;
  settle: (isFounded: boolean) => void;
}

/** Whose disk this is, and which cluster it founds or joins, which is permanent. */
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
   * @param begin makes the first entry. Its write also carries the id of the cluster, so that a process killed
   *   meanwhile leaves either an empty disk or a founded cluster
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

  /** The cluster that the write `seq` founds; undefined for other writes. */
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

  /** No more writes will end. */
  end(): void {
    this.founding?.settle(false);
  }

  /** One change at a time: the second is checked against the first. */
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
