import { withoutScenario } from './dsl/scenario.js';

withoutScenario({
  bug: 34,
  wrong: 'A node stands with a configuration that it has not applied yet.',
  seen: 'etcd-io/etcd#12133, #7625, #5004; tikv/raft-rs#221; etcd-io/raft#456, #458, #469',
  reason:
    'A configuration is in force from its append: there is none that is known and not in force (core/configuration.ts).',
});

withoutScenario({
  bug: 57,
  wrong: 'A thread for heartbeats races for the state of Raft.',
  seen: 'camunda/camunda#4201',
  reason: 'There is one thread, and `step` is synchronous: eslint forbids promises in the core.',
});

withoutScenario({
  bug: 66,
  wrong: 'Votes and log are in two files, and a crash takes one of them back further than the other.',
  seen: 'hashicorp/raft-boltdb, found by reading',
  reason:
    'There is one LevelDB, and each write is one batch (storage/write-plan.ts): storage-contract.ts holds every storage to it.',
});

withoutScenario({
  bug: 70,
  wrong:
    'After a failover two payloads have the same height: the new leader commits what the old one left open, while its sequencer builds another block.',
  seen: 'ethereum-optimism/optimism, found by reading op-conductor',
  reason:
    'Commands are opaque to the library. The rules of the chain are those of its user: the conductor tests them in payload-committer.test.ts.',
});
