import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';

const sources = ['common', 'raft', 'health', 'rpc', 'conductor'].flatMap((folder) =>
  readdirSync(path.join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testing'))
    .map((file) => readFileSync(path.join(repositoryRoot, folder, file), 'utf8')),
);

/** Codes that the sources declare: unions named …ErrorCode, …Code, RejectReason, and the reasons of RpcErrors. */
function declaredCodes(): Set<string> {
  const codes = new Set<string>();
  const literals = (text: string): void => {
    for (const [, code] of text.matchAll(/'([a-z][a-z-]*)'/g)) codes.add(code as string);
  };
  for (const source of sources) {
    for (const [, union] of source.matchAll(
      /export type (?:FrameErrorCode|TransportErrorCode|PayloadErrorCode|BehindCode|EmptyLogCode|StartHeldCode|HealthCode|ListenErrorCode|RejectReason) =([^;]+);/g,
    )) {
      literals(union as string);
    }
    for (const [, table] of source.matchAll(/const REMEDIES = \{([^}]+)\}/g)) {
      for (const [, quoted, bare] of (table as string).matchAll(/^ {2}(?:'([a-z-]+)'|([a-z-]+)):/gm)) {
        codes.add((quoted ?? bare) as string);
      }
    }
    for (const [, reason] of source.matchAll(/new RpcError\([^;]*?reason: '([a-z-]+)'/gs)) {
      codes.add(reason as string);
    }
  }
  return codes;
}

/** Wire-level reasons that a client sees as plain JSON-RPC errors. */
const JSON_RPC_OWN = new Set(['parse-error', 'invalid-request', 'method-not-found', 'crashed']);

describe('docs/ERRORS.md', () => {
  const documented = new Set(
    [
      ...readFileSync(path.join(repositoryRoot, 'docs/ERRORS.md'), 'utf8').matchAll(
        /`([a-z]+(?:-[a-z]+)*)`/g,
      ),
    ].map(([, code]) => code as string),
  );

  it('lists every code of the sources', () => {
    const missing = [...declaredCodes()].filter((code) => !documented.has(code) && !JSON_RPC_OWN.has(code));
    expect(missing).toEqual([]);
  });

  it('lists no code that the sources do not have', () => {
    const all = sources.join('\n');
    const unknown = [...documented].filter(
      (code) => !all.includes(`'${code}'`) && !all.includes(`  ${code}:`),
    );
    expect(unknown).toEqual([]);
  });

  it('finds the codes at all', () => {
    expect(declaredCodes().size).toBeGreaterThan(50);
  });
});
