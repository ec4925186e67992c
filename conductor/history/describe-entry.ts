import { leadershipSchema, type HistoryEntry, type Leadership, type Who } from '../../rpc/server/history.js';

/** An entry in words, for a table or a log line. */
export interface Description {
  /** Who did it: a person and an address, or a member; empty if `what` says it. */
  who: string;
  what: string;
  /** `done`, or the other result. */
  result: string;
}

/** Describes an entry, even one of a kind that this version does not know. */
export function describeEntry({ kind, who, what, result, details, node }: HistoryEntry): Description {
  const leadership = kind === 'leadership' ? leadershipSchema.safeParse(details).data : undefined;
  if (leadership) return { who: '', what: changeText(leadership, who), result: blocksText(leadership) };
  const params =
    typeof details['params'] === 'string' && details['params'] !== '[]' ? ` ${details['params']}` : '';
  return {
    who: whoText(who) || node,
    what: `${what}${params} at ${node}${who.reason === undefined ? '' : `: ${who.reason}`}`,
    result,
  };
}

/** Who it was, as far as known; empty if unknown. */
export function whoText({ token, owner, address }: Who): string {
  const names = [token && `token ${token}`, owner, address];
  return names.filter((name) => name !== undefined && name !== '').join(', ');
}

/** Who lost leadership, who took it, and why. */
export function changeText({ from, to, cause }: Pick<Leadership, 'from' | 'to' | 'cause'>, who: Who): string {
  const taken =
    from === null ? `${to} leads` : from === to ? `${to} leads again` : `${to} took over from ${from}`;
  const by = whoText(who);
  const said = [cause.reason, who.reason].filter((text) => text !== undefined && text !== '').join(': ');
  return `${taken}: ${CAUSE_TEXTS[cause.type]}${by && ` by ${by}`}${said && `: ${said}`}`;
}

/** How long the chain stopped, and where it continues. */
export function blocksText({ withoutSequencerMs, firstBlock, slotsMissed }: Leadership): string {
  const started = withoutSequencerMs === null ? [] : [`sequencer after ${withoutSequencerMs} ms`];
  const first = firstBlock === null ? 'no block yet' : `first block ${firstBlock.number}`;
  const missed = slotsMissed === null ? [] : [`slots missed: ${slotsMissed}`];
  return [...started, first, ...missed].join(', ');
}

const CAUSE_TEXTS: Record<Leadership['cause']['type'], string> = {
  'process-gone': 'its process is gone',
  'no-contact': 'no contact with it',
  'no-quorum': 'it had lost contact with a quorum',
  unhealthy: 'it was unhealthy',
  transfer: 'a transfer',
  'hand-back': 'it handed back',
  shutdown: 'its process ends',
  'not-said': 'a transfer, no reason given',
  start: 'it has known no leader since it started',
};
