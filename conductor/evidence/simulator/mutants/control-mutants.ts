import { bySeeds, inScenario, inTest, mutant, type Mutant } from './mutant.js';

const CONTROL = 'conductor/control';
const DECIDE = `${CONTROL}/decide.ts`;
const CONTROLLER = `${CONTROL}/controller.ts`;
const BRANCH = `${CONTROL}/branch-watch.ts`;

/** Of the control of the sequencer. */
export const controlMutants: readonly Mutant[] = [
  mutant(
    'followers leave their sequencers running',
    bySeeds,
    DECIDE,
    "if (view.sequencerActive === true) return { type: 'stop', abandon: false, reason: 'not the leader' };",
    '',
  ),
  mutant(
    'a paused conductor goes on',
    bySeeds,
    DECIDE,
    "if (view.paused && !view.witness) return { type: 'none', reason: 'paused' };",
    '',
  ),
  mutant(
    'who was elected acts before it knows the log',
    inTest(`${CONTROL}/decide.every-view.test.ts`),
    DECIDE,
    "if (view.role === 'elect') return { type: 'none', reason: 'leadership is not complete yet' };",
    '',
  ),
  mutant(
    'a start that is under way is ended by its own effect',
    inScenario('a start that is not answered'),
    CONTROLLER,
    'sequencerActive: this.sequencer.isStarting ? false : state.sequencerActive,',
    'sequencerActive: state.sequencerActive,',
  ),
  mutant(
    'the end of a conductor leaves a start that was aborted alone',
    inScenario('a leader ends while its start is not answered'),
    CONTROLLER,
    'const mayRun = !this.isWitness && (localNode.state.sequencerActive === true || this.leads);',
    'const mayRun = localNode.state.sequencerActive === true;',
  ),
  mutant(
    'a conductor that ends does not stop its sequencer',
    bySeeds,
    `${CONTROL}/hand-over.ts`,
    "if (stopFirst) await this.ifPossible(sequencer.stop(signal), 'the sequencer could not be stopped');",
    '',
  ),
  mutant(
    'a start does not bring the node to the head',
    inScenario('a client that lost blocks under an active sequencer'),
    `${CONTROL}/start-sequencer.ts`,
    "const head = await bringToHead(deps, { ...options, upTo: 'head' });",
    'const head = await deps.execution.latestBlock({ signal: options.signal, timeoutMs: options.callTimeoutMs });',
  ),
  mutant(
    'standbys are fed the head itself',
    inScenario('a standby that hears no gossip'),
    `${CONTROL}/local-sequencer.ts`,
    "upTo: 'parent-of-head'",
    "upTo: 'head'",
  ),
  mutant(
    'standbys are not fed',
    inScenario('a standby that hears no gossip'),
    DECIDE,
    "return { type: 'feed', reason: 'the local node misses blocks' };",
    "return { type: 'none', reason: 'the local node misses blocks' };",
  ),
  mutant(
    'a posted block that was dropped is not posted again',
    inTest(`${CONTROL}/bring-to-head.test.ts`),
    `${CONTROL}/bring-to-head.ts`,
    'if (window.isStale(local)) { window = new PostingWindow();',
    'if (window.isStale(local)) {',
  ),
  mutant(
    'a sequencer off the committed chain is left alone',
    inScenario('a client that lost blocks under an active sequencer'),
    BRANCH,
    'if (this.contradiction !== undefined) return this.contradiction;',
    'if (this.epoch >= 0) return undefined;',
  ),
  mutant(
    'one client that left is evidence for a reset',
    inScenario('a client that lost blocks under an active sequencer'),
    `${CONTROL}/reset-evidence.ts`,
    'const majority = majorityOf(voters.length);',
    'const majority = Math.min(1, majorityOf(voters.length));',
  ),
  mutant(
    'a reset gives up less than the majority has left',
    inTest(`${CONTROL}/reset-evidence.test.ts`),
    `${CONTROL}/reset-evidence.ts`,
    'const last = left[majority - 1];',
    'const last = left.at(-1);',
  ),
  mutant(
    'a client that comes back from a crash has left',
    inTest(`${CONTROL}/branch-watch.test.ts`),
    BRANCH,
    'pollFailed(): void { this.departure.interrupted();',
    'pollFailed(): void {',
  ),
  mutant(
    'whoever leads an empty log starts where it is',
    inScenario('an empty log over a chain'),
    `${CONTROL}/start-gate.ts`,
    'if (!history.head) await this.requireHighestHead(call);',
    'if (!history.head) return;',
  ),
  mutant(
    'the own head is enough to begin an empty log',
    inTest(`${CONTROL}/empty-log.test.ts`),
    `${CONTROL}/empty-log.ts`,
    'if (known < majorityOf(voters.length)) {',
    'if (known < 1) {',
  ),
  mutant(
    'a sequencer that does not ask its conductor is started',
    inTest(`${CONTROL}/controller.start-gate.test.ts`),
    `${CONTROL}/start-gate.ts`,
    "if (!enabled) throw new StartHeldError('conductor-disabled', NOT_ASKING);",
    '',
  ),
  mutant(
    'leadership goes to nodes that cannot sequence',
    inTest('conductor/control/decide.test.ts'),
    DECIDE,
    'fitness !== Fitness.unfit && // One that cannot take over is no better than a node that can sequence, however it feels.',
    '',
  ),
  mutant(
    'nodes that are silent count as successors',
    inTest(`${CONTROL}/controller.transfer.test.ts`),
    `${CONTROL}/succession.ts`,
    'peer.lastContactMs < this.options.peerTimeoutMs()',
    'peer.lastContactMs < Infinity',
  ),
  mutant(
    'what is no longer the right action goes on',
    inTest(`${CONTROL}/control-loop.test.ts`),
    `${CONTROL}/control-loop.ts`,
    "if (!sameAction(this.running.action, action)) this.running.abort.abort(new Error('no longer needed'));",
    '',
  ),
  mutant(
    'a leader whose sequencer cannot be started keeps leading',
    inTest(`${CONTROL}/controller.start-trouble.test.ts`),
    `${CONTROL}/start-trouble.ts`,
    'this.failures += tookItsTime(error) ? FAILURES : 1;',
    'this.failures += 0;',
  ),
  mutant(
    'a poll from before a start tells what is after it',
    inTest(`${CONTROL}/local-node.test.ts`),
    `${CONTROL}/local-node.ts`,
    'noteSequencer(active: boolean): void { this.epoch += 1;',
    'noteSequencer(active: boolean): void {',
  ),
];
