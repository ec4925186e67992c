import { check } from '../checks/violation.js';
import type { Memory } from './memory.js';
import type { Transition } from './server.js';

/** Throws a Violation when the paper does not allow the step. */
export type Rule = (step: Transition, memory: Memory) => void;

export function allowed({ after, input }: Transition, condition: boolean, rule: string): asserts condition {
  check(condition, 'paper', () => `${after.id}, ${describe(input)}: ${rule}`);
}

const describe = (input: Transition['input']): string =>
  input.type === 'message' ? `${input.message.type} from ${input.from}` : input.type;
