import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { CertificateTexts } from '../../raft/index.js';
import { TestAuthority, type CertificateChoice } from '../../raft/transport/testing/certificates.js';

/** Files with the credentials of members, each in its own folder. */
export class CredentialFolder {
  private constructor(
    private readonly directory: string,
    public authority: TestAuthority,
  ) {}

  static async make(): Promise<CredentialFolder> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'baton-credentials-'));
    return new CredentialFolder(directory, await TestAuthority.make());
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }

  certificateFlags(id: string): string[] {
    return [
      ...['--raft.tls.cert', this.file(id, 'tls.crt'), '--raft.tls.key', this.file(id, 'tls.key')],
      ...['--raft.tls.ca', this.file(id, 'ca.crt')],
    ];
  }

  secretFlags(id: string): string[] {
    return ['--raft.secret-file', this.file(id, 'secret')];
  }

  /** A certificate that names the member; `ca` is what the member trusts, the authority by default. */
  async issue(id: string, choice: CertificateChoice & { ca?: string } = {}): Promise<CertificateTexts> {
    const texts = await this.authority.issue({ uris: [`baton:${id}`], ...choice });
    const given = { ...texts, ...(choice.ca === undefined ? {} : { ca: choice.ca }) };
    await this.put(id, { 'tls.crt': given.cert, 'tls.key': given.key, 'ca.crt': given.ca });
    return given;
  }

  writeSecrets(id: string, ...secrets: string[]): Promise<void> {
    return this.put(id, { secret: secrets.join('\n') });
  }

  private file(id: string, name: string): string {
    return path.join(this.directory, id, name);
  }

  /** Each file is replaced as a whole. */
  private async put(id: string, files: Record<string, string>): Promise<void> {
    await mkdir(path.join(this.directory, id), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      const file = this.file(id, name);
      await writeFile(`${file}.new`, text, { mode: 0o600 });
      await rename(`${file}.new`, file);
    }
  }
}
