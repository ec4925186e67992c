import { readFile, stat } from 'node:fs/promises';
import { readCertificate, readSecrets, type Credentials } from '../../../raft/index.js';
import type { Config } from '../../config/config.js';

/** Which files hold the credentials of this node. */
export type SecuredConfig = Exclude<Config['consensus']['security'], { kind: 'open' }>;

/** A file could not be read at all. */
class CredentialFileError extends Error {
  override readonly name = 'CredentialFileError';
  readonly code = 'unreadable-credential-file';
  readonly remedy: string;

  constructor(file: string, { code, message }: NodeJS.ErrnoException) {
    super(`${file}: ${message}`);
    this.remedy =
      code === 'EACCES'
        ? 'let the user of this process read it'
        : 'put the file there; its directory may change behind a symbolic link, but its path must not';
  }
}

/** Other users of the machine may read or write the file. */
const MODE_LOOSE = 0o027;

/** The content of the files when they were read. */
export class CredentialTexts {
  private constructor(private readonly texts: readonly string[]) {}

  /** @throws CredentialFileError */
  static async read(config: SecuredConfig): Promise<CredentialTexts> {
    return new CredentialTexts(await Promise.all(filesOf(config).map(textOf)));
  }

  isSame(other: CredentialTexts | undefined): boolean {
    return other !== undefined && this.texts.every((text, at) => text === other.texts[at]);
  }

  /** @throws SecurityError */
  credentials({ kind }: SecuredConfig, serverId: string): Credentials {
    const [first = '', key = '', ca = ''] = this.texts;
    return kind === 'secret' ? readSecrets(first) : readCertificate({ cert: first, key, ca }, serverId);
  }
}

/** Files with a key or a secret that users other than this process's user and group may read or write. */
export async function looseFiles(config: SecuredConfig): Promise<{ file: string; mode: string }[]> {
  const secrets = config.kind === 'secret' ? [config.secretPath] : [config.keyPath];
  const found = await Promise.all(
    secrets.map(async (file) => {
      const mode = (await stat(file).catch(() => undefined))?.mode ?? 0;
      return { file, mode: (mode & 0o777).toString(8).padStart(4, '0'), isLoose: (mode & MODE_LOOSE) !== 0 };
    }),
  );
  return found.filter(({ isLoose }) => isLoose).map(({ file, mode }) => ({ file, mode }));
}

/** In the order in which they are read. */
function filesOf(config: SecuredConfig): string[] {
  return config.kind === 'secret' ? [config.secretPath] : [config.certPath, config.keyPath, config.caPath];
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CredentialFileError(file, error as NodeJS.ErrnoException);
  }
}
