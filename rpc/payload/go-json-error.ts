import { PayloadError } from './payload-error.js';

/** How Go names the struct field that a JSON member belongs to. */
export interface GoField {
  /** Path from the parameter, such as `executionPayload.gasLimit`. */
  path: string;
  /** Type in op-node's structs, such as `hexutil.Uint64`. */
  goType: string;
}

/**
 * The error of Go's JSON decoder for a value that does not fit. Operators' log searches know these texts
 * from op-conductor (rpc.jsonl, group bad-payload-leader).
 */
export function cannotUnmarshal(what: string, field: GoField): PayloadError {
  const struct = field.path.startsWith('executionPayload.') ? 'ExecutionPayload' : 'ExecutionPayloadEnvelope';
  return badField(
    field,
    `json: cannot unmarshal ${what} into Go struct field ${struct}.${field.path} of type ${field.goType}`,
  );
}

/** The error for a field with the right JSON type and invalid content. */
export function badField(field: GoField, message: string): PayloadError {
  return new PayloadError('bad-field', field.path, message);
}

/** The error for a required field that is absent or null. `remedy` tells the sender what to do. */
export function missingField(path: string, remedy: string): PayloadError {
  return new PayloadError('missing-field', path, `${path}: missing; ${remedy}`);
}

/** The error for a field that Go's decoder would skip, and that this version cannot keep. */
export function unknownField(path: string): PayloadError {
  // The sender chose the name.
  const shown = path.length > 100 ? `${path.slice(0, 100)}…` : path;
  return new PayloadError(
    'unknown-field',
    shown,
    `${shown}: unknown to this version of Baton, which cannot keep it; upgrade Baton to a release that supports this fork`,
  );
}

/** What Go's JSON decoder calls the type of a parsed JSON value. */
export function goJsonKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
