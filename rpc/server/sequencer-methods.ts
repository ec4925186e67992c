import { change, type Method } from './json-rpc/method-table.js';
import { boolParam, hashParam } from './json-rpc/params.js';

/** Operators' control of the local op-node's sequencer while the control loop is paused. */
export interface SequencerByHandApi {
  /**
   * Starts it on top of its head.
   *
   * @param head hash of the head that the caller saw: op-node refuses any other
   * @param withoutConsensus op-node publishes without a commit from now on, until it is restarted
   */
  start(head: string, withoutConsensus: boolean): Promise<void>;
  /** Returns the hash of the head after the stop, null if it was not running. */
  stop(): Promise<string | null>;
}

/** Ours, for emergencies: op-conductor leaves its operators to call op-node themselves. */
export function sequencerMethods(byHand: SequencerByHandApi): ReadonlyMap<string, Method> {
  return new Map([
    [
      'conductor_startSequencer',
      change([hashParam, boolParam], (_by, head, withoutConsensus) => byHand.start(head, withoutConsensus)),
    ],
    ['conductor_stopSequencer', change([], () => byHand.stop())],
  ]);
}
