import { describe, expect, it } from '@jest/globals';
import { namedTests, namesNothing, readDocument } from './named-tests.js';

const page = readDocument('docs/CONFORMANCE.md');
const rows = namedTests(page);

/** op-conductor's tests that have a name; the others are described. */
const NAMED = [
  ...[1, 2, 3].map((n) => `ControlLoop${n}`),
  ...[1, 2, 3, 4, 5, 6, 7].map((n) => `Scenario${n}`),
  ...[1, 2, 3, 4].map((n) => `FailureAndRetry${n}`),
  ...[
    'Scenario1Err',
    'ConductorRestart',
    'HandleInitError',
    'RollupBoostHealthFailure',
    'RollupBoostPartialFailure',
  ],
  ...['FlashblocksHandlerIntegration', 'TestConductorLeadershipTransfer'],
  ...['SetupCluster', 'ConductorRPC', 'ActiveSequencerDown', 'DisasterRecovery_OverrideLeader'].map(
    (name) => `TestSequencerFailover_${name}`,
  ),
];

describe('docs/CONFORMANCE.md', () => {
  it('names tests that exist', () => {
    expect(rows.filter(namesNothing)).toEqual([]);
    expect(rows.length).toBeGreaterThan(80);
  });

  it('has a row for every named test of op-conductor', () => {
    const covered = new Set(rows.flatMap(({ subject }) => subject.split(/, /)));
    expect(NAMED.filter((name) => !covered.has(name))).toEqual([]);
  });

  it('has no row that cannot be read', () => {
    const lines = page.split('\n').filter((line) => line.includes('.test.ts') && line.startsWith('|'));
    expect(lines).toHaveLength(rows.length);
  });
});
