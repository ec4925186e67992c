import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { TIMING_PROFILES, type ClusterTiming, type CoreStatus } from '../../raft/index.js';
import type { RaftNodeEvents } from '../../raft/index.js';
import { parseConfig } from '../config/parse-config.js';
import { TimingWarning } from './timing-warning.js';

const configured = parseConfig(
  [
    ...['--consensus.addr=127.0.0.1', '--consensus.port=0', '--raft.server.id=a', '--raft.storage.dir=/data'],
    ...['--node.rpc=http://127.0.0.1:1', '--execution.rpc=http://127.0.0.1:2', '--healthcheck.interval=1'],
    ...['--healthcheck.unsafe-interval=60', '--healthcheck.min-peer-count=1', '--rollup.config=/x'],
    '--raft.heartbeat-timeout=3s',
  ],
  {},
);

/** A node whose cluster uses this timing. */
class FakeNode extends EventEmitter<RaftNodeEvents> {
  timing: ClusterTiming = TIMING_PROFILES.lan;
  inLog = true;

  status(): Pick<CoreStatus, 'configuration'> {
    const timing = this.inLog ? { timing: this.timing } : {};
    return { configuration: { index: 1, configuration: { members: [], ...timing } } };
  }

  goBy(timing: ClusterTiming): void {
    this.timing = timing;
    this.emit('configuration', {
      type: 'configuration',
      ...this.status().configuration,
      reason: 'timing changed',
    });
  }
}

let node: FakeNode;
let warned: ClusterTiming[];
let warning: TimingWarning;

beforeEach(() => {
  if (!('config' in configured)) throw new Error('only help');
  node = new FakeNode();
  warned = [];
  const write = (line: string): void => {
    warned.push((JSON.parse(line) as { inForce: ClusterTiming }).inForce);
  };
  warning = new TimingWarning(configured.config, node, pino({ level: 'warn' }, { write }));
});

describe('TimingWarning', () => {
  it('warns once about different timing, and again if it changes to yet another', () => {
    warning.check();
    node.goBy({ ...TIMING_PROFILES.lan });
    expect(warned).toMatchObject([TIMING_PROFILES.lan]);
    node.goBy(TIMING_PROFILES['multi-region']);
    expect(warned).toMatchObject([TIMING_PROFILES.lan, TIMING_PROFILES['multi-region']]);
  });

  it('warns again if the cluster used the timing of the flags in between', () => {
    if (!('config' in configured)) throw new Error('only help');
    warning.check();
    node.goBy(configured.config.raft.timing);
    node.goBy(TIMING_PROFILES.lan);
    expect(warned).toHaveLength(2);
  });

  it('says nothing while the log has no timing', () => {
    node.inLog = false;
    warning.check();
    expect(warned).toEqual([]);
  });
});
