import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../../common/testing/repository-root.js';

interface Case {
  /** The file that the linted text pretends to be. */
  file: string;
  source: string;
}

/** Lints with the project's own configuration, except the rules that need types, which would take ten seconds. */
const LINT = `
  import { ESLint } from 'eslint';
  import tseslint from 'typescript-eslint';
  const eslint = new ESLint({ overrideConfig: tseslint.configs.disableTypeChecked });
  const results = [];
  for (const { file, source } of JSON.parse(process.argv[1])) {
    const [{ messages }] = await eslint.lintText(source, { filePath: file });
    results.push(messages.map(({ ruleId, line }) => line + ' ' + ruleId));
  }
  console.log(JSON.stringify(results));
`;

async function rulesBroken(cases: readonly Case[]): Promise<string[][]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', LINT, JSON.stringify(cases)],
    { cwd: repositoryRoot, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return JSON.parse(stdout) as string[][];
}

const IMPURE = `import { readFileSync } from 'node:fs';
export const clock = (): number => performance.now() + Date.now();
export const chance = (): number => Math.random();
export const later = async (): Promise<void> => void (await import('./crc32.js'));
export const input = (): string => readFileSync(process.argv[1] ?? '', 'utf8');
export const timer = (): unknown => setTimeout(() => new Promise(() => undefined), 1);
`;
const IMPURITIES = [
  '1 @typescript-eslint/no-restricted-imports',
  ...['2 no-restricted-globals', '2 no-restricted-globals'],
  '3 no-restricted-properties',
  ...['4 no-restricted-syntax', '4 no-restricted-syntax', '4 no-restricted-syntax'],
  '5 no-restricted-globals',
  ...['6 no-restricted-globals', '6 no-restricted-globals'],
];

const PURE = ['raft/core/log.ts', 'conductor/chain/chain-state.ts', 'conductor/control/decide.ts'];

const FORBIDDEN = [
  ['raft/core/log.ts', '../storage/errors.js'],
  ['raft/storage/keys.ts', '../runtime/raft-node.js'],
  ['raft/transport/errors.ts', '../evidence/checks/violation.js'],
  ['raft/transport/errors.ts', '../../common/bytes.js'],
  ['common/bytes.ts', '../raft/index.js'],
  ['rpc/payload/decode-ssz.ts', '../clients/op-node-client.js'],
  ['rpc/server/readiness.ts', '../../raft/index.js'],
  ['health/evaluate.ts', '../raft/index.js'],
  ['conductor/control/decide.ts', '../api/conductor.js'],
  ['conductor/process/service.ts', '../../raft/runtime/raft-node.js'],
  ['conductor/process/service.ts', '../../e2e/cluster/timeline.js'],
  ['conductor/process/service.ts', '../testing/chain.js'],
] as const;

const TAKING_APART = `export const ours = (text: string): unknown => new URL(text);
export const good = (text: string): unknown => URL.canParse(text);
export const file = new URL('./thread.js', import.meta.url);
`;

const importing = (name: string): string =>
  `import type * as other from '${name}';\nexport type { other };\n`;

describe('eslint', () => {
  let broken: string[][];
  let ofPure: string[][];
  let ofForbidden: string[][];

  beforeAll(async () => {
    broken = await rulesBroken([
      ...PURE.map((file) => ({ file, source: IMPURE })),
      ...FORBIDDEN.map(([file, name]) => ({ file, source: importing(name) })),
      { file: 'conductor/control/decide.ts', source: importing('../chain/chain-state.js') },
      { file: 'conductor/process/service.ts', source: TAKING_APART },
    ]);
    ofPure = broken.slice(0, PURE.length);
    ofForbidden = broken.slice(PURE.length, -2);
  });

  it.each(PURE.map((file, index) => [file, index] as const))(
    'finds clock, chance, promises and input in %s',
    (_file, index) => {
      expect(ofPure[index]).toEqual(IMPURITIES);
    },
  );

  it.each(FORBIDDEN.map(([file, name], index) => [file, name, index] as const))(
    'keeps %s from importing %s',
    (_file, _name, index) => {
      expect([...new Set(ofForbidden[index])]).toEqual(['1 import-x/no-restricted-paths']);
    },
  );

  it('lets rooms import what they may', () => {
    expect(broken.at(-2)).toEqual([]);
  });

  it('lets only one file parse URLs', () => {
    expect(broken.at(-1)).toEqual(['1 no-restricted-syntax', '2 no-restricted-syntax']);
  });
});
