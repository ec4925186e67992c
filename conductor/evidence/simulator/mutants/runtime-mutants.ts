import { bySeeds, inScenario, inTest, mutant, type Mutant } from './mutant.js';

const RUNTIME = 'raft/runtime';
const APPLIER = `${RUNTIME}/applier.ts`;

/** Mutants of the runtime, which carries out what Raft's core decides. */
export const runtimeMutants: readonly Mutant[] = [
  mutant(
    'a write counts as stored when it begins',
    inTest(`${RUNTIME}/raft-node-trouble.test.ts`),
    `${RUNTIME}/disk-writer.ts`,
    'this.options.storage.write(order, clusterId).then(',
    '(void this.options.storage.write(order, clusterId).catch(() => undefined), Promise.resolve()).then(',
  ),
  mutant(
    'a hung write is waited for without end',
    inTest(`${RUNTIME}/raft-node-trouble.test.ts`),
    `${RUNTIME}/disk-writer.ts`,
    'this.watch.begin();',
    '',
  ),
  mutant(
    'cut entries are sent',
    inTest(`${RUNTIME}/complete-message.test.ts`),
    `${RUNTIME}/complete-message.ts`,
    "if (found?.term !== entry.term) throw new Error('the log was cut');",
    "if (!found) throw new Error('the log was cut');",
  ),
  mutant(
    'pieces of a snapshot of an old term are kept',
    inTest(`${RUNTIME}/peer-inbox.test.ts`),
    `${RUNTIME}/peer-inbox.ts`,
    'if (!pump.isRunning || chunk.term < term()) return null;',
    'if (!pump.isRunning) return null;',
  ),
  mutant(
    'a snapshot is installed without its data',
    inTest(`${RUNTIME}/peer-inbox.test.ts`),
    `${RUNTIME}/peer-inbox.ts`,
    'else respond(null);',
    "else pump.deliver({ type: 'message', from, message }, respond);",
  ),
  mutant(
    'requests of two peers with one number are mixed up',
    inTest(`${RUNTIME}/exchanges.test.ts`),
    `${RUNTIME}/exchanges.ts`,
    'return { ...request, requestId: this.lastId };',
    'return request;',
  ),
  mutant(
    'requests of a term that is over wait forever',
    inTest(`${RUNTIME}/raft-node-trouble.test.ts`),
    `${RUNTIME}/raft-node.ts`,
    'if (event.term > this.term) this.pump.abandonPeers(exchangeId);',
    '',
  ),
  mutant(
    'an input is taken in the middle of a step',
    inTest(`${RUNTIME}/core-pump.test.ts`),
    `${RUNTIME}/core-pump.ts`,
    'if (this.pumping) return;',
    '',
  ),
  mutant(
    'what waits at the end is told that it did not happen',
    inTest(`${RUNTIME}/core-pump.test.ts`),
    `${RUNTIME}/core-pump.ts`,
    'for (const settle of this.requests.values()) settle(STOPPED);',
    "for (const settle of this.requests.values()) settle({ outcome: 'rejected', reason: 'stopped' });",
  ),
  mutant(
    'entries are applied twice after a snapshot',
    inScenario('a node that was away for longer than the log remembers'),
    APPLIER,
    'this.machine.restore(snapshot); this.appliedIndex = snapshot.index;',
    'this.machine.restore(snapshot);',
  ),
  mutant(
    'what was read before a snapshot is applied after it',
    inTest(`${RUNTIME}/applier.test.ts`),
    APPLIER,
    'restore(snapshot: Snapshot): void { this.version += 1;',
    'restore(snapshot: Snapshot): void {',
  ),
  mutant(
    'an entry is skipped at a restart',
    bySeeds,
    APPLIER,
    'for (const entry of entries) this.apply(entry);',
    'for (const entry of entries) if (young.length > 0 || entry.index % 7 > 0) this.apply(entry); else this.appliedIndex = entry.index;',
  ),
  mutant(
    'the disk is asked for what is on its way there',
    inTest(`${RUNTIME}/log-reader.test.ts`),
    `${RUNTIME}/log-reader.ts`,
    'while (last < to && this.entry(last + 1)?.data === undefined) last += 1;',
    'last = to;',
  ),
  mutant(
    'the log is compacted beyond what the disk has',
    inTest(`${RUNTIME}/compaction.test.ts`),
    `${RUNTIME}/compaction.ts`,
    'Math.min(appliedIndex - 1, durableIndex)',
    'appliedIndex - 1',
  ),
  mutant(
    'silence is proof that a process is gone',
    bySeeds,
    `${RUNTIME}/crash-evidence.ts`,
    "if (found !== 'gone') continue;",
    "if (found === 'alive') continue;",
  ),
  mutant(
    'a node founds a cluster and remembers it later',
    inTest(`${RUNTIME}/raft-node-trouble.test.ts`),
    `${RUNTIME}/cluster-identity.ts`,
    'return (await founded) ? outcome : STOPPED;',
    'return outcome;',
  ),
  mutant(
    'a transfer is done when this node leads no more',
    inTest(`${RUNTIME}/raft-node.test.ts`),
    `${RUNTIME}/transfer-outcome.ts`,
    'if (leader !== null && leader !== node.nodeId)',
    "if (role !== 'leader')",
  ),
  mutant(
    'deadlines are looked at before messages that wait',
    inTest(`${RUNTIME}/wake-up-timer.test.ts`),
    `${RUNTIME}/wake-up-timer.ts`,
    'setImmediate(() => setImmediate(() => this.polled()));',
    'this.polled();',
  ),
];
