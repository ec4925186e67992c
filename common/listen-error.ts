/** Why a port cannot be listened on. */
export type ListenErrorCode = 'port-in-use' | 'port-forbidden' | 'address-not-here' | 'name-unknown';

const BY_SYSTEM_CODE: Readonly<Record<string, ListenErrorCode>> = {
  EADDRINUSE: 'port-in-use',
  EACCES: 'port-forbidden',
  EADDRNOTAVAIL: 'address-not-here',
  EAFNOSUPPORT: 'address-not-here',
  ENOTFOUND: 'name-unknown',
  EAI_AGAIN: 'name-unknown',
};

const REMEDY: Readonly<Record<ListenErrorCode, string>> = {
  'port-in-use': 'another process has the port (ss -ltnp): stop it, or choose another one',
  'port-forbidden':
    'choose a port above 1023, or give the process the right to this one (CAP_NET_BIND_SERVICE)',
  'address-not-here': 'listen on an address of this machine, or on 0.0.0.0 or ::',
  'name-unknown': 'listen on an address, or on a name that the resolver of this machine knows',
};

/** A port that this process must have, and cannot. */
export class ListenError extends Error {
  readonly remedy: string;

  constructor(
    readonly code: ListenErrorCode,
    message: string,
    readonly flags: readonly string[],
    options: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ListenError';
    this.remedy = `${REMEDY[code]} (${flags.map((flag) => `--${flag}`).join(', ')})`;
  }
}

/**
 * Runs what listens.
 *
 * @param port what it is the port of
 * @param flags that say where
 * @throws ListenError for what the system refuses; other errors as they are
 */
export async function listening<T>(
  port: string,
  flags: readonly string[],
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const { code: systemCode = '', message } = error as NodeJS.ErrnoException;
    const code = BY_SYSTEM_CODE[systemCode];
    if (code === undefined) throw error;
    throw new ListenError(code, `cannot listen on the ${port} port: ${message}`, flags, { cause: error });
  }
}
