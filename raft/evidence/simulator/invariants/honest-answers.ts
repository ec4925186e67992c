import type { Answer, LogPosition } from '../../../core/outputs.js';
import { check } from '../../checks/violation.js';
import { readNumber } from '../big-endian.js';
import type { ClientRequest } from '../client-requests.js';
import type { Evidence, Invariant } from './invariant.js';

/** Requests whose answer names their own entry. */
const LOGGED: ReadonlySet<ClientRequest['kind']> = new Set(['propose', 'membership']);

/**
 * I18 Honest answers: `done` is in the ledger exactly where the answer says. `rejected` never was and never will be in any
 * log. A request has one answer. A proposal is committed at most once. One that ended as `unknown` is committed where the
 * answer says, or never.
 */
export function honestAnswers({ ledger, requests }: Evidence): Invariant {
  const rejected = new Set<number>();
  const committedAt = new Map<number, number>();
  /** Proposals with an unknown outcome, and where they would be. */
  const leftOpen = new Map<number, LogPosition>();

  /** A proposal that was left open is committed at the named position, or nowhere. */
  function checkLeftOpen(id: number): void {
    const at = leftOpen.get(id);
    const index = committedAt.get(id);
    if (!at || index === undefined) return;
    check(
      index === at.index && ledger.at(index)?.term === at.term,
      'I18',
      () =>
        `proposal ${id} is committed at ${index}, and was said to be entry ${at.index} of term ${at.term}`,
    );
  }

  function checkAnswer(request: ClientRequest, answer: Answer): void {
    const { id, kind } = request;
    if (answer.outcome === 'rejected' && kind === 'propose') {
      check(!committedAt.has(id), 'I18', () => `proposal ${id} is committed, the answer was a rejection`);
      rejected.add(id);
    }
    if (answer.outcome === 'unknown' && kind === 'propose' && answer.at) {
      leftOpen.set(id, answer.at);
      checkLeftOpen(id);
    }
    if (answer.outcome !== 'done' || !LOGGED.has(kind)) return;
    const entry = ledger.at(answer.index);
    check(
      entry !== undefined,
      'I18',
      () => `request ${id} is done at ${answer.index}, which is not committed`,
    );
    if (kind === 'propose') {
      const honest = committedAt.get(id) === answer.index && entry.term === answer.term;
      check(honest, 'I18', () => `proposal ${id} is not entry ${answer.index} of term ${answer.term}`);
    } else {
      check(entry.kind === 'config', 'I18', () => `change ${id} is done at ${answer.index}, a ${entry.kind}`);
      // For an old change, only the snapshot's term may be known.
      const { snapshotIndex } = request.node.process?.ctx.log ?? { snapshotIndex: 0 };
      const term = ledger.at(Math.max(answer.index, snapshotIndex))?.term;
      check(term === answer.term, 'I18', () => `change ${id} is done with the wrong term ${answer.term}`);
    }
  }

  return {
    stepped({ node, ctx, outputs, change, committedBefore }) {
      for (let index = change?.from ?? 1; index <= (change?.to ?? 0); index++) {
        const entry = ctx.log.get(index);
        if (entry?.kind !== 'command' || !entry.data) continue;
        const id = readNumber(entry.data);
        check(!rejected.has(id), 'I18', () => `rejected proposal ${id} is entry ${index} of ${node.id}`);
      }
      for (let index = committedBefore + 1; index <= ledger.lastIndex; index++) {
        const entry = ledger.at(index);
        if (entry?.kind !== 'command') continue;
        const id = readNumber(entry.data);
        const twice = committedAt.get(id);
        check(twice === undefined, 'I18', () => `proposal ${id} is committed at ${twice} and at ${index}`);
        committedAt.set(id, index);
        checkLeftOpen(id);
      }
      for (const output of outputs) {
        if (output.type !== 'answer') continue;
        const request = requests.get(output.id);
        check(request !== undefined, 'I18', () => `${node.id} answers request ${output.id} twice`);
        checkAnswer(request, output.answer);
      }
    },
  };
}
