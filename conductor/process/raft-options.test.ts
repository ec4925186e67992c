import { describe, expect, it } from '@jest/globals';
import { TIMING_PROFILES, type ClusterTiming } from '../../raft/index.js';
import { parseConfig } from '../config/parse-config.js';
import { laneTimeouts, timingConflict, timingOf } from './raft-options.js';

const REQUIRED = [
  ...['--consensus.addr=127.0.0.1', '--consensus.port=0', '--raft.server.id=a', '--raft.storage.dir=/data'],
  ...['--node.rpc=http://127.0.0.1:1', '--execution.rpc=http://127.0.0.1:2', '--healthcheck.interval=1'],
  ...['--healthcheck.unsafe-interval=60', '--healthcheck.min-peer-count=1', '--rollup.config=/x'],
];
function configOf(more: string[]) {
  const parsed = parseConfig([...REQUIRED, ...more], {});
  if (!('config' in parsed)) throw new Error('only help');
  return parsed.config;
}

describe('the timing flags', () => {
  it('are the timing of a cluster that this node founds', () => {
    expect(timingOf(configOf(['--raft.heartbeat-timeout=3s']))).toMatchObject({
      electionTimeoutMs: 3000,
      leaseTimeoutMs: 3000,
      heartbeatIntervalMs: 500,
      transferTimeoutMs: 3000,
    });
    expect(timingOf(configOf([]))).toMatchObject({ ...TIMING_PROFILES.lan, transferTimeoutMs: 1000 });
  });

  it('contradict a cluster that uses other timing, and both are named', () => {
    const config = configOf(['--raft.heartbeat-timeout=3s']);
    expect(timingConflict(config, TIMING_PROFILES.lan)).toMatchObject({
      given: { 'raft.heartbeat-timeout': 3000 },
      asked: { electionTimeoutMs: 3000 },
      inForce: TIMING_PROFILES.lan,
    });
    expect(timingConflict(config, timingOf(config))).toBeUndefined();
  });

  it('contradict nothing if they are not given', () => {
    expect(timingConflict(configOf([]), TIMING_PROFILES['multi-region'])).toBeUndefined();
  });
});

describe('deadlines between nodes', () => {
  it('follow the timing of the cluster', () => {
    const timing: ClusterTiming = TIMING_PROFILES.lan;
    expect(laneTimeouts(timing)).toMatchObject({ controlMs: 300, bulkMs: 1000 });
    expect(laneTimeouts({ ...timing, electionTimeoutMs: 5000 })).toMatchObject({
      controlMs: 5000,
      bulkMs: 5000,
    });
  });
});
