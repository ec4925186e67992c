/** Invariants that seeds break today, each with its reason: the tests do not look at them, and show that it is so. */
export const BROKEN_BY_SEEDS: Readonly<Record<string, string>> = {
  'one-per-height': "a leader's commit may replace any committed block, and nothing asks why",
  'resets-have-cause': 'as one-per-height: blocks are replaced without a reset',
  'started-on-committed': 'with an empty log the leader starts on whatever head it has',
  'standby-is-fed-what-stays': 'standbys are posted the committed head itself',
  'few-transfers': 'a hand-over that cannot succeed is tried again and again',
  'nothing-lost': 'a consequence of replaced blocks: op-node does not follow to the other branch',
  'blocks-flow':
    'a leader whose entries reach nobody leads for ever; an active sequencer off the committed head is left alone',
};

/** Scenarios that fail today, with the invariant that they break. */
export const FAILING_SCENARIOS: Readonly<Record<string, string>> = {
  'two sequencers': 'one-per-height',
  'a client that lost blocks under an active sequencer': 'one-per-height',
  'one node that lost blocks under an active sequencer': 'one-per-height',
  'an empty log over a chain': 'started-on-committed',
  'a stranger commits a block far above': 'standby-is-fed-what-stays',
  'a standby that hears no gossip': 'standby-is-fed-what-stays',
  'L1 takes blocks back': 'standby-is-fed-what-stays',
  'L1 takes blocks back from one node': 'one-per-height',
  'a leader whose large messages are swallowed': 'few-transfers',
};
