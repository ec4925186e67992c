import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartRefusedError, type StartRefusal } from '../../rpc/clients/start-refusal.js';
import { silent } from '../testing/chain.js';
import { pass, useVirtualTime } from '../testing/virtual-time.js';
import { NodeOverride } from './node-override.js';

useVirtualTime();

/** An op-node that asks its conductor before anything else, unless it was overridden. */
class FakeOpNode {
  overridden = false;
  isSequencing: boolean | null = false;
  readonly calls: string[] = [];
  /** Thrown by the next call. */
  fault: Error | undefined;
  onCall = (): void => undefined;

  readonly client = {
    overrideLeader: async (): Promise<void> => {
      this.called('override');
      this.overridden = true;
    },
    startSequencer: async (head: string): Promise<{ alreadyRunning: boolean }> => {
      this.called(`start ${head}`);
      if (!this.overridden) throw refusal({ reason: 'not-leader' });
      if (this.isSequencing) return { alreadyRunning: true };
      throw refusal({ reason: 'hash-mismatch', head: null });
    },
  };

  private called(call: string): void {
    this.calls.push(call);
    this.onCall();
    const { fault } = this;
    this.fault = undefined;
    if (fault) throw fault;
  }
}

const refusal = (refused: StartRefusal): StartRefusedError => new StartRefusedError(refused, new Error('no'));

let opNode: FakeOpNode;
let kept: (number | null)[];
let override: NodeOverride;

const process = (): NodeOverride =>
  new NodeOverride({ opNode: opNode.client, isSequencing: () => opNode.isSequencing, logger: silent });
const store = {
  read: async () => kept.at(-1) ?? null,
  write: async (sinceMs: number | null) => void kept.push(sinceMs),
};
const lookLater = async (): Promise<void> => {
  await pass(2000);
  await override.look();
};

beforeEach(async () => {
  opNode = new FakeOpNode();
  kept = [];
  override = process();
  await override.restore(store);
});
afterEach(() => expect(override.isLooking).toBe(false));

describe('an op-node that publishes without its conductor', () => {
  it('is remembered before it gets the call', async () => {
    opNode.onCall = () => expect(kept).toEqual([7]);
    await override.begin(7);
    expect(opNode.calls).toEqual(['override']);
    expect(override.sinceMs).toBe(7);
  });

  it('is remembered even if its answer is lost, since the first time', async () => {
    opNode.fault = new Error('timeout');
    await expect(override.begin(7)).rejects.toThrow('timeout');
    await override.begin(9);
    expect(override.sinceMs).toBe(7);
  });

  it('is remembered by the next process', async () => {
    await override.begin(7);
    const next = process();
    await next.restore(store);
    expect(next.sinceMs).toBe(7);
  });

  it('is forgotten when it asks again, and not before', async () => {
    await override.begin(7);
    await lookLater();
    expect(override.sinceMs).toBe(7);
    opNode.overridden = false;
    await lookLater();
    expect(override.sinceMs).toBeNull();
    expect(kept).toEqual([7, null]);
  });

  it('is checked by a start that cannot succeed, during which the conductor does not lead', async () => {
    await override.begin(7);
    opNode.onCall = () => expect(override.isLooking).toBe(true);
    await lookLater();
    expect(opNode.calls).toEqual(['override', `start 0x${'00'.repeat(32)}`]);
  });

  it('asks its conductor, even when the conductor could not answer', async () => {
    await override.begin(7);
    opNode.fault = refusal({ reason: 'leader-check-failed', detail: 'timeout' });
    await lookLater();
    expect(override.sinceMs).toBeNull();
  });

  it.each([
    ['does not answer', new Error('timeout')],
    ['has no head yet', refusal({ reason: 'no-prestate' })],
    ['may not sequence', refusal({ reason: 'not-enabled' })],
  ])('is not known to ask while it %s', async (_, fault) => {
    await override.begin(7);
    opNode.fault = fault;
    await lookLater();
    expect(override.sinceMs).toBe(7);
  });

  it.each([true, null])('is left alone while its sequencer runs or may run (%s)', async (isSequencing) => {
    await override.begin(7);
    opNode.isSequencing = isSequencing;
    await lookLater();
    expect(opNode.calls).toEqual(['override']);
  });

  it('is checked only every two seconds, and never without an override', async () => {
    await lookLater();
    expect(opNode.calls).toEqual([]);
    await override.begin(7);
    await lookLater();
    await override.look();
    await pass(1999);
    await override.look();
    expect(opNode.calls).toHaveLength(2);
  });

  it('is remembered when it is overridden again during a check', async () => {
    await override.begin(7);
    opNode.overridden = false;
    opNode.onCall = () => {
      opNode.onCall = () => undefined;
      void override.begin(9);
    };
    await lookLater();
    expect(override.sinceMs).toBe(7);
  });
});
