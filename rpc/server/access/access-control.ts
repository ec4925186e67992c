import type { RpcError } from '../json-rpc/rpc-error.js';
import { roleMissing } from './refusal-texts.js';
import { rolesNeeded } from './method-roles.js';
import { presentedToken } from './presented-token.js';
import type { Refusal, RefusalCause } from './refusal.js';
import { RefusalLimit } from './refusal-limit.js';
import { grants, ROLES, type Role } from './roles.js';
import { holderOfCertificate, holderOfToken, type Holder, type Holders } from './token-file.js';

/** What a request reveals about its sender. */
export interface Credentials {
  readonly address: string;
  readonly authorization: string | undefined;
  /** Names in the client certificate, if it was verified. */
  readonly certificateNames: readonly string[];
  /** For the report. */
  readonly path: string;
}

export interface AccessOptions {
  /** Read again for each request, because the file may change. Undefined: no credentials are needed. */
  holders: () => Holders | undefined;
  /** Roles of callers without a credential, once credentials are needed. */
  anonymousRoles: readonly Role[];
  /** Roles that this port serves to nobody. */
  withheldRoles: readonly Role[];
  /** Milliseconds on a monotonic clock. */
  nowMs: () => number;
  onRefusal: (refusal: Refusal) => void;
}

/** The name of callers without a credential. */
export const ANONYMOUS = 'anonymous';
/** Everybody, on a port that needs no credential. */
const OPEN: Holder = { name: ANONYMOUS, roles: ROLES };

/** Decides who may call what on one port. */
export class AccessControl {
  private readonly limit = new RefusalLimit();

  constructor(private readonly options: AccessOptions) {}

  /** The sender of a request, or why it is refused before its body is read. */
  identify(shown: Credentials): Holder | Refusal {
    const { anonymousRoles } = this.options;
    const holders = this.options.holders();
    if (!holders) return this.onThisPort(OPEN);
    const token = presentedToken(shown.authorization);
    const holder =
      token === undefined
        ? holderOfCertificate(holders, shown.certificateNames)
        : holderOfToken(holders, token);
    if (holder) return this.onThisPort(holder);
    const isWithout = shown.authorization === undefined;
    if (isWithout && anonymousRoles.length > 0) {
      return this.onThisPort({ name: ANONYMOUS, roles: anonymousRoles });
    }
    const cause = isWithout ? 'no-credential' : 'unknown-credential';
    return this.refused(cause, shown.address, undefined, shown.path);
  }

  /** Undefined, or why this holder may not make this call. */
  refusalOf(holder: Holder, address: string, method: string, args: readonly unknown[]): RpcError | undefined {
    const needed = rolesNeeded(method, args);
    if (grants(holder.roles, needed)) return undefined;
    this.refused('role-missing', address, holder.name, method);
    const isWithheld = needed.every((role) => this.options.withheldRoles.includes(role));
    return roleMissing({ holder, method, needed, isWithheld });
  }

  private onThisPort({ name, roles }: Holder): Holder {
    const { withheldRoles } = this.options;
    if (withheldRoles.length === 0) return { name, roles };
    return { name, roles: roles.filter((role) => !withheldRoles.includes(role)) };
  }

  private refused(cause: RefusalCause, address: string, holder: string | undefined, what: string): Refusal {
    const isOneOfMany = this.limit.noteRefusal(address, this.options.nowMs());
    const refusal = { cause, address, holder, what, isOneOfMany };
    this.options.onRefusal(refusal);
    return refusal;
  }
}

/** Tells the two answers of `identify` apart. */
export function isRefusal(answer: Holder | Refusal): answer is Refusal {
  return 'cause' in answer;
}
