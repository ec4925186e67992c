/** What to do about a problem of the cluster, by its code; docs/ERRORS.md has the same list with the severities. */
const REMEDIES = {
  'no-cluster':
    'Start every node that --raft.peers lists, or found the cluster with --raft.bootstrap on one node and add the others with baton add ID ADDRESS.',
  'quorum-lost':
    'Bring back the voters that do not keep up: nothing else is safe. Only if a majority of the disks is gone for good, make one survivor a cluster of its own with baton recover DIRECTORY; that gives up what the lost members alone had committed, and if they come back there are two clusters, which build two chains.',
  'no-leader':
    'Wait for two seconds, as an election may be under way. If it lasts, look for "a peer does not answer" in the logs of the voters, and repair the network between their consensus ports.',
  'several-leaders':
    'Wait for two seconds, as a leader that is cut off steps down by itself. If it lasts, end every override with baton override ID --remove.',
  'leader-overridden':
    'End the override with baton override ID --remove as soon as a majority of the voters is back, and restart the op-node there: it forgets admin_overrideLeader by nothing else.',
  'node-overridden':
    'Once the cluster commits again, end the emergency with baton override ID --remove, and restart the op-node there: it forgets admin_overrideLeader by nothing else, and Baton does not start its sequencer before.',
  'several-sequencers':
    'Stop the sequencer of every op-node but that of the leader with admin_stopSequencer, and resume its conductor with baton resume ID so that it stays stopped.',
  'sequencer-elsewhere':
    'Stop that sequencer with admin_stopSequencer on its op-node, and resume the conductors that are paused with baton resume: then the leader starts its own.',
  'sequencer-idle':
    'Resume the leader with baton resume ID if it is paused. Otherwise repair its op-node or execution client, or move leadership to another member with baton transfer.',
  'witness-leads':
    'Repair op-node or the execution client of a member with a node: the witness transfers leadership to the first that is fit.',
  'uncommitted-blocks':
    'Restart the op-node whose sequencer is active: somebody has set admin_overrideLeader there, and nothing else ends it. If an operator has just taken the head back with baton reset-head, or recovered a cluster from an older log, bring the nodes to the committed head instead.',
  'nothing-committed':
    'If this lasts for longer than a few blocks, restart the op-node whose sequencer is active: it publishes without its conductor, after admin_overrideLeader or without --conductor.enabled.',
  halted: 'End it with baton resume once its reason is over: nothing else does.',
  'halt-ignored':
    'Wait for two seconds, while it ends its block. If it lasts, its op-node does not obey its conductor: restart op-node with --sequencer.stopped. Under an override, end that with baton override ID --remove.',
  'no-failure-tolerance':
    'Bring back the voters that do not keep up. With one or two voters, add one with baton add ID ADDRESS: three voters survive the loss of one.',
  'no-answer':
    'Start its process, or repair the network to its consensus port. If the machine is gone for good, put another in its place with baton replace OLD NEW ADDRESS.',
  'not-a-member': 'Add it with baton add ID ADDRESS, or stop it.',
  'wiped-disk':
    'Find out why its disk is not the one that was added, then add the node again under its own id with baton add ID ADDRESS: its old vote ends, and it gets the log.',
  'foreign-cluster':
    'Stop it, move its storage directory away, take --raft.bootstrap out of its flags, start it, and add it again with baton add ID ADDRESS. Do not resume it as it is: it would sequence a chain of its own.',
  'disk-reverted':
    'Stop it, replace its disk or move its storage directory away, start it, and add it again with baton add ID ADDRESS: its disk has lost what it had confirmed.',
  'identity-used-twice':
    'Stop the process that does not run at the address of this member, and move its storage directory away: it is on a copy of the disk. The log of the members has "identity-used-twice" with the cause.',
  'identity-unproven':
    'If this member has moved, tell the cluster with baton add ID and its new address. Otherwise repair the network to its address, and make sure that no copy of its disk runs elsewhere.',
  'cut-off':
    'Repair the network between the consensus ports of this member and the leader, in both directions; the logs of both name the address and the cause.',
  'follows-another':
    'Wait for two seconds, as leadership may have just moved. If it lasts, repair the network between the consensus ports of this member and the leader.',
  'member-behind':
    'Wait while it gets the log. If the number does not shrink, look at its disk and at the network between it and the leader: large packets may not pass.',
  'node-behind':
    'Wait while it catches up. If the number does not shrink, look at the peers and the L1 of its op-node, and restart op-node.',
  'node-unhealthy':
    'Repair what the message names at its op-node or execution client; leadership moves to a fitter member by itself.',
  'node-degraded': 'Repair what the message names before it gets worse; the member can still sequence.',
  'node-unchecked': 'Wait for its first health check. If it does not come, look at the log of its conductor.',
  'cluster-paused':
    'Resume it with baton resume once the reason for the pause is over. Until then no member starts, stops or moves a sequencer.',
  paused:
    'Resume it with baton resume ID once the reason for the pause is over. If it is paused by bootstrap, first make sure that every member is listed here.',
} as const;

export type ProblemCode = keyof typeof REMEDIES;

/** Problems with which no block can be committed, or an uncommitted one may be published. */
const CRITICAL: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'no-cluster',
  'quorum-lost',
  'no-leader',
  'several-leaders',
  'leader-overridden',
  'node-overridden',
  'halt-ignored',
  'several-sequencers',
  'sequencer-elsewhere',
  'sequencer-idle',
  'witness-leads',
  'uncommitted-blocks',
  'nothing-committed',
]);

export const PROBLEM_CODES = Object.keys(REMEDIES) as ProblemCode[];

export function severityOf(code: ProblemCode): 'degraded' | 'critical' {
  return CRITICAL.has(code) ? 'critical' : 'degraded';
}

/** @returns full sentences, with the id of the member if there is one */
export function remedyOf(code: ProblemCode, member: string | null, address = ''): string {
  const text: string = REMEDIES[code];
  if (member === null) return text;
  const known = text.replaceAll(/\bID\b/g, member).replaceAll('replace OLD', `replace ${member}`);
  return address === '' ? known : known.replaceAll(/\badd (\S+) ADDRESS\b/g, `add $1 ${address}`);
}
