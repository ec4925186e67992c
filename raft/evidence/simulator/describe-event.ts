import type { Configuration, NodeId } from '../../core/configuration.js';
import type { Input } from '../../core/inputs.js';
import type { Message } from '../../core/messages.js';
import type { Answer, CoreEvent, Output } from '../../core/outputs.js';

/** A step of a node, or a note (`input` is null, `who` the text). */
export interface TraceEvent {
  atMs: number;
  who: string;
  term: number;
  input: Input | null;
  outputs: readonly Output[];
}

/** A report shows everything. A story omits what only a search needs: request ids, ranks, fractions of milliseconds. */
export type Detail = 'report' | 'story';

/** The lines of one event: the input, and below it what the node did. */
export function describeEvent(event: TraceEvent, detail: Detail = 'report'): string[] {
  const time = detail === 'report' ? event.atMs.toFixed(3).padStart(12) : event.atMs.toFixed(1).padStart(8);
  if (!event.input) return [`${time} ** ${event.who}`];
  return [
    `${time} ${event.who} t${event.term} < ${describeInput(event.input, detail)}`,
    ...describeOutputs(event.outputs, detail).map((line) => `${' '.repeat(time.length)} > ${line}`),
  ];
}

function describeInput(input: Input, detail: Detail): string {
  switch (input.type) {
    case 'tick':
      return 'timer';
    case 'message':
      return `${input.from}: ${describeMessage(input.message, detail)}`;
    case 'requestFailed':
      return `a request to ${input.to} failed`;
    case 'progress':
      return `${input.to} has ${input.bytes} B of a request`;
    case 'stored':
      return `write ${input.seq} is durable`;
    case 'applied':
      return `applied up to ${input.index}`;
    case 'propose':
      return `propose #${input.id} (${input.data.length} B)`;
    case 'read':
      return `read #${input.id}`;
    case 'prepareTransfer':
      return `prepare transfer #${input.id} to ${input.to}`;
    case 'transfer':
      return `transfer #${input.id} to ${input.to ?? 'the best'}`;
    case 'changeMembership': {
      const { type, id } = input.change;
      return `change #${input.id}: ${type} ${id}${input.change.type === 'replace' ? ` by ${input.change.by.id}` : ''}`;
    }
    case 'setTiming':
      return `change #${input.id}: timing ${JSON.stringify(input.timing)}`;
    case 'bootstrap':
      return `bootstrap #${input.id}: ${describeConfiguration(input.configuration)}`;
    case 'compact':
      return `compact to ${input.index}`;
    case 'peerGone':
      return `the process of ${input.peer} is gone`;
    case 'stalled':
      return `stood still for ${Math.round(input.forMs)} ms`;
    case 'eligibility':
      return `eligibility ${input.value}`;
  }
}

/** One line each. The same message to several nodes is one line. */
function describeOutputs(outputs: readonly Output[], detail: Detail): string[] {
  const lines: string[] = [];
  const receivers = new Map<string, NodeId[]>();
  for (const output of outputs) {
    if (output.type !== 'send') {
      lines.push(describeOutput(output));
      continue;
    }
    const text = describeMessage(output.message, detail);
    const known = receivers.get(text);
    if (known) known.push(output.to);
    else {
      receivers.set(text, [output.to]);
      lines.push(text);
    }
  }
  return lines.map((line) => {
    const to = receivers.get(line);
    return to ? `${to.join(', ')}: ${line}` : line;
  });
}

function describeOutput(output: Exclude<Output, { type: 'send' }>): string {
  switch (output.type) {
    case 'persist': {
      const { seq, hardState, truncateFrom, entries, snapshot, resetLog } = output;
      const first = entries[0]?.index;
      const parts = [
        `write ${seq}: t${hardState.term} vote ${hardState.votedFor ?? '-'} commit ${hardState.commit}`,
        truncateFrom === undefined ? '' : `truncate from ${truncateFrom}`,
        first === undefined ? '' : `entries ${first}…${entries.at(-1)?.index}`,
        snapshot ? `snapshot ${snapshot.index}${resetLog ? ' (reset)' : ''}` : '',
      ];
      return parts.filter(Boolean).join(', ');
    }
    case 'commit':
      return `commit ${output.index}`;
    case 'restore':
      return `restore snapshot ${output.snapshot.index}`;
    case 'answer':
      return `answer #${output.id}: ${describeAnswer(output.answer)}`;
    case 'event':
      return describeCoreEvent(output.event);
    case 'halt':
      return `halt: ${output.reason}`;
  }
}

function describeAnswer(answer: Answer): string {
  if (answer.outcome === 'done') return `done at ${answer.index}:t${answer.term}`;
  return `${answer.outcome}, ${answer.reason}`;
}

function describeCoreEvent(event: CoreEvent): string {
  switch (event.type) {
    case 'role': {
      const { role, term, leader, reason } = event;
      const following = role === 'follower' && leader !== null ? ` of ${leader}` : '';
      return `* ${role}${following} in t${term}: ${reason}`;
    }
    case 'leaderReady':
      return `* ready to lead t${event.term}: entry ${event.index} is committed`;
    case 'configuration':
      return `* configuration ${event.index}: ${describeConfiguration(event.configuration)} (${event.reason})`;
    case 'electionStarted':
      return `* ${event.prevote ? 'asks for pre-votes' : 'stands'} in t${event.term} (${event.cause})`;
    case 'snapshotInstalled':
      return `* snapshot ${event.index} of ${event.from} is installed`;
    case 'diskHangs':
      return `* a write hangs for ${Math.round(event.forMs)} ms: ${event.successor} is to lead`;
    case 'noWork': {
      const { forMs, index, obstacles, then, successor } = event;
      const why = obstacles.map(({ node, what }) => `${node} ${what}`).join(', ');
      return `* entry ${index} gets nowhere for ${Math.round(forMs)} ms (${why}): ${then}${successor === null ? '' : ` ${successor}`}`;
    }
    case 'reverted':
      return `* ${event.node} had acknowledged ${event.acknowledged}, and has ${event.found}`;
  }
}

/** The voters; a non-voter in parentheses. */
function describeConfiguration({ members, joint, timing }: Configuration): string {
  const parts = members.map(({ id, voter }) => (voter ? id : `(${id})`));
  if (joint) parts.push(`and before ${joint.voters.join(' ')}`);
  if (timing) parts.push(`timing ${JSON.stringify(timing)}`);
  return parts.join(' ');
}

function describeMessage(message: Message, detail: Detail): string {
  const id = detail === 'report' ? ` r${message.requestId}` : '';
  return `${message.type} t${message.term}${id} ${describeContent(message, detail)}`;
}

function describeContent(message: Message, detail: Detail): string {
  switch (message.type) {
    case 'preVote':
      return `log ${message.lastIndex}:t${message.lastTerm}`;
    case 'vote': {
      const numbered = message.transferNumber > 0 ? `, transfer ${message.transferNumber}` : '';
      return `log ${message.lastIndex}:t${message.lastTerm}${numbered}`;
    }
    case 'preVoteResponse':
    case 'voteResponse':
      if (message.granted) return 'yes';
      return message.remainingMs > 0 ? `no, loyal for ${Math.round(message.remainingMs)} ms` : 'no';
    case 'append': {
      const { prevIndex, prevTerm, commit, entries } = message;
      const list = entries.map((entry) => `${entry.index}:t${entry.term} ${entry.kind}`).join(', ');
      return `after ${prevIndex}:t${prevTerm} [${list}] commit ${commit}`;
    }
    case 'appendResponse':
      if (message.success) return `yes, up to ${message.matchIndex}`;
      return `no, look at ${message.conflictIndex}${message.conflictTerm > 0 ? `:t${message.conflictTerm}` : ''}`;
    case 'heartbeat': {
      const { round, commit, acknowledged, transfersEnded, rank, electionTimeoutMs } = message;
      const ended = transfersEnded > 0 ? ` transfers ended ${transfersEnded}` : '';
      const head = `round ${round} commit ${commit}${ended}`;
      if (detail === 'story') return head;
      return `${head} has ${acknowledged} rank ${rank} loyal ${electionTimeoutMs} ms`;
    }
    case 'heartbeatResponse': {
      const { round, lastIndex, eligibility, priority, reverted } = message;
      const head = `round ${round} log ${lastIndex}${reverted ? ' reverted' : ''}`;
      return detail === 'story' ? head : `${head} eligibility ${eligibility} priority ${priority}`;
    }
    case 'snapshot':
      return `of ${message.snapshot.index}:t${message.snapshot.term}`;
    case 'snapshotResponse':
      return `up to ${message.matchIndex}`;
    case 'timeoutNow':
      return `transfer ${message.transferNumber}, log ${message.lastIndex}:t${message.lastTerm}`;
    case 'timeoutNowResponse':
      return message.accepted ? 'yes' : 'no';
  }
}
