/** What an operator can do about it, by code; docs/ERRORS.md has the same list. */
const REMEDIES = {
  usage: 'see baton --help',
  'config-file': 'correct the file, or give the address with --rpc, which needs no file',
  'credential-file': 'correct the file, or give another one; baton token new makes a token',
  'no-credential':
    'give a token with --token-file FILE, BATON_TOKEN_FILE, or tokenFile of the cluster in ~/.config/baton/config.yaml (baton token new makes one), or a client certificate with --cert FILE and --key FILE',
  'unknown-credential':
    'show one that the file of --rpc.token-file names on every member: baton token new makes a token and its line',
  'role-missing': 'show the token of a holder who may do that, with --token-file FILE',
  'refused-too-often': 'correct the credential, then try again in 10 s',
  'tls-failed': 'check the scheme of the address and the certificate of that conductor',
  'no-answer':
    "give the RPC address of a conductor that runs, with --rpc or BATON_RPC (op-node's is another)",
  'no-rpc-address': 'give it with --rpc, or run the command on that node',
  'not-a-member': 'baton status shows the members',
  'not-a-voter': 'baton status shows who votes; a member without a vote is removed and another added',
  'unfit-target': 'repair it first, or repeat with --force',
  'unknown-sequencer':
    'repair that op-node or stop it, and make sure that it stays stopped; or repeat with --force if you know that it does not sequence',
  halted: 'baton resume ends the halt, once its reason is over',
  'not-paused':
    'baton transfer moves leadership and the sequencer; to decide by hand, pause the member first with baton pause ID',
  'would-lose-quorum':
    'bring the other voters back first, or repeat with --force: then no block is committed until they are back, and if they never are, only baton recover helps, which gives up what they alone had committed',
  'would-lose-tolerance':
    'put another node in its place with baton replace, or add one first with baton add; or repeat with --force',
  'quorum-lost':
    'bring back the voters that do not answer: nothing else is safe. Only if a majority of the disks is gone for good, make one survivor a cluster of its own with baton recover DIRECTORY; that gives up what the lost members alone had committed, and if they come back there are two clusters, which build two chains',
  'already-a-voter': 'give the id of a node that has no vote yet; baton remove takes a member out',
  'leader-exists':
    'use baton transfer; an override is for a cluster without a quorum (repeat with --force to set it anyway)',
  refused: 'the answer says why: remove that cause, look at baton status, then repeat',
  incomplete: 'repair the members that are named, then repeat: what is done already stays done',
  deadline: 'look at baton status; the command can be repeated, or given more time with --deadline',
  'not-written': 'give a file that does not exist yet, where you may write, with --out',
  interrupted: 'what was asked for may still happen: look at baton status',
  damaged:
    'do not start the node on this directory, but keep it: start the node on an empty one and add it again with baton add ID ADDRESS. If the others have no quorum, recover from the directory of another node',
  storage: 'check the path, and the disk below it (space, permissions, hardware), then repeat the command',
  unconfirmed: 'read what it would do, then repeat with --yes',
};

type CommandErrorCode = keyof typeof REMEDIES;

/** A command failed. The process prints message and remedy, and exits with the code from `exit-codes.ts`. */
export class CommandError extends Error {
  readonly remedy: string;

  /**
   * @param message what is wrong, with names and numbers
   * @param remedy what to do about it, if the remedy of the code is not specific enough
   */
  constructor(
    readonly code: CommandErrorCode,
    message: string,
    remedy?: string,
  ) {
    super(message);
    this.name = 'CommandError';
    this.remedy = remedy ?? REMEDIES[code];
  }
}
