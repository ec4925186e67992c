import type { RecordDraft } from '../commit/recorder.js';
import type { ChangeReport } from '../../rpc/server/json-rpc/call-report.js';

const PARAMS_CHARS_MAX = 1000;
const RESULT_CHARS_MAX = 1000;

/** The record of a call that changes something. */
export function operationDraft({ method, params, by, failure }: ChangeReport): RecordDraft {
  return {
    kind: 'operation',
    what: method,
    who: by,
    result: failure ? `failed: ${failure.message}`.slice(0, RESULT_CHARS_MAX) : 'done',
    details: { params: paramsText(params) },
  };
}

/** The parameters as JSON, cut if they are long: a client may send megabytes. */
export function paramsText(params: readonly unknown[]): string {
  const text = JSON.stringify(params);
  return text.length <= PARAMS_CHARS_MAX ? text : `${text.slice(0, PARAMS_CHARS_MAX)}…`;
}
