import type { AccessOptions } from '../access/access-control.js';

/** A port that needs no credentials. */
export const OPEN_ACCESS: AccessOptions = {
  holders: () => undefined,
  anonymousRoles: [],
  withheldRoles: [],
  nowMs: () => performance.now(),
  onRefusal: () => undefined,
};
