import { z } from 'zod';
import type { TlsProblem } from '../../../common/tls-failure.js';
import { ClientError } from '../../../rpc/clients/client-error.js';
import { CommandError } from '../command-error.js';

const TLS_REMEDIES: Readonly<Record<TlsProblem, string>> = {
  'plain-port':
    'give the address with http://, or let that conductor speak TLS with --rpc.tls.cert and --rpc.tls.key',
  'tls-port': 'give the address with https://',
  untrusted:
    'give the authority that has issued it with --cacert FILE, BATON_CACERT, or cacert of the cluster in ~/.config/baton/config.yaml',
  'other-name':
    'dial it by one of those names, or give that conductor a certificate for this host (members are dialled at the host of their consensus address)',
  expired: 'renew the certificate of that conductor (--rpc.tls.cert), and check the clock of this machine',
  'certificate-refused':
    'give a client certificate of its --rpc.tls.client-ca with --cert FILE and --key FILE',
  other: 'look at it with openssl s_client -connect HOST:PORT',
};

const roleMissing = z.object({
  code: z.literal('role-missing'),
  needs: z.array(z.string()),
  holder: z.string(),
});

/** Codes of errors that do not go away by waiting. */
const LASTING: readonly string[] = [
  'no-credential',
  'unknown-credential',
  'role-missing',
  // A valid credential is still accepted.
  'refused-too-often',
  'tls-failed',
];

/** Whether the next attempt will fail the same way. */
export function isLasting(error: unknown): boolean {
  return error instanceof CommandError && LASTING.includes(error.code);
}

/** Why a conductor refused our request, with what to do about it; undefined for other kinds of failure. */
export function accessError(error: unknown): CommandError | undefined {
  if (!(error instanceof ClientError)) return undefined;
  const { failure, server, method } = error;
  switch (failure.code) {
    case 'unreachable':
      return failure.tls && new CommandError('tls-failed', error.message, TLS_REMEDIES[failure.tls]);
    case 'http-status':
      return ofStatus(failure.status, failure.body, server, method);
    case 'rpc-error': {
      const parsed = roleMissing.safeParse(failure.data);
      return parsed.success ? ofRole(`${server} answers: ${failure.rpcMessage}`, parsed.data) : undefined;
    }
    default:
      return undefined;
  }
}

function ofStatus(status: number, body: string, server: string, method: string): CommandError | undefined {
  switch (status) {
    case 401:
      // Recognised by Baton's own text; a proxy in front of it may answer anything.
      return /credential is not valid/.test(body)
        ? new CommandError('unknown-credential', `${server} does not know the credential that it was shown`)
        : new CommandError('no-credential', `${server} wants a credential for ${method}`);
    case 403:
      return new CommandError('role-missing', `${server} does not allow ${method}: ${body.trim()}`);
    case 429:
      return new CommandError('refused-too-often', `${server} has refused this address too often`);
    default:
      return undefined;
  }
}

function ofRole(message: string, { needs, holder }: z.infer<typeof roleMissing>): CommandError {
  const roles = needs.join(' or ');
  return new CommandError(
    'role-missing',
    message,
    `show a token of a holder with the role ${roles} (--token-file FILE), or add the role to the line of "${holder}" in ` +
      'the file of --rpc.token-file on all members',
  );
}
