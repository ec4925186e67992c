/** What to do about findings of `baton doctor`, by code; docs/ERRORS.md has the same list. */
const REMEDIES = {
  'invalid-config':
    'Correct the flag or variable that is named. The rest is checked only once all of them are right.',
  'config-warning': 'Correct or remove the flag or variable that is named.',
  'flag-without-effect': 'Remove the flag, or leave it: it changes nothing.',
  'old-node': 'Install a newer Node.js and start Baton with that one.',
  'started-otherwise':
    'Start the executable itself (baton, or dist/conductor/main.js) and not node with its path: its first line sets them. Without them memory grows, and a dead name server holds up the disk.',
  'already-runs':
    'Nothing, if that is intended: this member uses its own ports and directory. baton doctor --rpc URL checks a cluster that runs.',
  'bad-directory':
    'Give --raft.storage.dir a path where this user may create directories, or make the directory and give it to this user (chown).',
  'directory-in-use': 'Stop the other process that uses this directory; two members never share one.',
  'foreign-directory':
    'Give --raft.storage.dir an empty directory of its own: this one holds a database of another program.',
  'headless-database':
    'Look at it with baton inspect DIRECTORY. If it is damaged, move it away and let the member join again with an empty directory; never copy the directory of another member.',
  'other-files': 'Move these files away, unless they belong to the disk itself, such as lost+found.',
  'disk-silent': 'Check the volume and its host: a read or a write has not come back.',
  'disk-full': 'Free space, or give Baton a larger volume: it ends when a write fails.',
  'little-space': 'Give Baton a larger volume, or lower --raft.retention-mb.',
  'slow-disk':
    'Use a local disk with a fast sync (NVMe), and no other writer on it. Every block waits for the disks of a majority.',
  'peer-silent':
    'Start the machine, or open its consensus port: packets to it get lost. Check firewalls, security groups and the address in --raft.peers.',
  'peer-down': 'Start Baton there. If it runs, check its --consensus.addr and --consensus.port.',
  'not-a-baton':
    'Correct the address in --raft.peers, or stop the program that has this port. op-conductor cannot be mixed with Baton.',
  'other-member': 'Correct --raft.peers: ids and addresses must belong together, on every member.',
  'other-list': 'Give all members the same --raft.peers: a cluster forms only from equal lists.',
  'other-wire-version': 'Upgrade the older of the two, one release at a time.',
  'peers-apart':
    'Find out which cluster is the right one. Stop the members of the other, move their storage directories away, and add them again with baton add ID ADDRESS.',
  'must-be-added': 'Start Baton here, then add it at a member of that cluster: baton add ID ADDRESS.',
  'tight-timing':
    'Choose slower timers: baton timing multi-region, or --raft.timing-profile for a new cluster. Or repair the network or the disk that is slow.',
  'op-node-silent':
    'Start op-node, or correct --node.rpc. Baton starts without it, but sequences only when it answers.',
  'admin-api-off': 'Start op-node with --rpc.enable-admin.',
  'conductor-off':
    'Start op-node with --conductor.enabled and --conductor.rpc: without it blocks are published that no conductor has committed, and Baton ends.',
  'sequencer-runs':
    'Make sure that no other sequencer of this chain is active. For a move without a halt, follow docs/MIGRATION.md; otherwise start op-node with --sequencer.stopped.',
  'few-peers': 'Connect op-node with its peers, or lower --healthcheck.min-peer-count.',
  'old-head':
    'Wait until op-node has caught up, and check the clock of this machine. On a chain that has been halted this is expected.',
  'execution-silent': 'Start the execution client, or correct --execution.rpc.',
  'other-chain': 'Point every --node.rpc and --execution.rpc at programs of the same chain.',
  'heads-differ':
    'Make sure that --execution.rpc is the client that op-node drives. If it is, one of them is on another branch: look at the log of op-node.',
  'committed-apart':
    'Pause all members with baton pause, and report this with the output of baton status --json: it must never happen.',
  'heads-apart': 'Wait until both have caught up. If they do not, look at the log of op-node.',
  'one-way':
    'Repair the network between these two in the direction that is named: firewalls and security groups are often open in one only.',
  'rpc-unreachable':
    'Run baton doctor where the RPC ports of all members can be reached, or give their URLs with --rpc, separated by commas.',
  'clocks-differ':
    'Repair time synchronization (chrony, systemd-timesyncd) on these machines: the age of a head is measured with the local clock.',
  'older-member': 'Upgrade the member: its release does not tell this.',
  'versions-differ': 'Finish the upgrade, one member at a time, the leader last.',
} as const;

export type DoctorCode = keyof typeof REMEDIES;

export function remedyOf(code: DoctorCode): string {
  return REMEDIES[code];
}
