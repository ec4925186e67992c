import { readFileSync } from 'node:fs';
import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** What each room may import, besides itself and packages. */
const rooms = JSON.parse(readFileSync(`${import.meta.dirname}/rooms.json`, 'utf8'));

const roomZones = Object.entries(rooms).map(([room, others]) => ({
  target: `./${room}`,
  from: './',
  except: ['node_modules', room, ...others].map((name) => `./${name}`),
  message: `${room} may import ${others.join(', ') || 'nothing of ours'} (rooms.json).`,
}));

/** What only tests and evidence may import. */
const TESTING = {
  target: ['./{common,health,rpc}/**', './conductor/*.ts', './conductor/!(evidence)/**'],
  from: './**/testing/**',
  message: 'testing/ is for tests.',
};

/** Files whose results follow from their arguments alone; in a folder with others they import values from each other only. */
const PURE_ROOM = ['raft/core/*.ts', 'conductor/verdict/*.ts'];
const PURE_FILES = [
  'conductor/chain/chain-state.ts',
  'conductor/chain/cluster-records.ts',
  'conductor/chain/maintenance.ts',
  'conductor/control/decide.ts',
  'conductor/control/eligibility.ts',
  'conductor/control/lag-tracker.ts',
  'health/checks.ts',
  'health/evaluate.ts',
  'health/streaks.ts',
];
const pureNames = PURE_FILES.map((file) => file.replace(/^.*\/|\.ts$/g, '')).join('|');

const IMPURE_GLOBALS = [
  ...[
    'performance',
    'Date',
    'Intl',
    'crypto',
    'process',
    'Buffer',
    'Promise',
    'fetch',
    'console',
    'globalThis',
  ],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'require'],
];
const IMPURE_SYNTAX = ['AwaitExpression', 'ImportExpression', 'YieldExpression', ':function[async=true]'];
const PURITY = 'Pure: no clock, randomness, promise or I/O.';

const pure = {
  'no-restricted-globals': ['error', ...IMPURE_GLOBALS.map((name) => ({ name, message: PURITY }))],
  'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: PURITY }],
  'no-restricted-syntax': ['error', ...IMPURE_SYNTAX.map((selector) => ({ selector, message: PURITY }))],
};
const onlyFrom = (regex) => ({
  '@typescript-eslint/no-restricted-imports': [
    'error',
    { patterns: [{ regex, allowTypeImports: true, message: PURITY }] },
  ],
});

/** A URL from outside, as opposed to that of a file of ours, which is relative to another. */
const taken = ['NewExpression[callee.name="URL"][arguments.length=1]', 'MemberExpression[object.name="URL"]'];
const oneParser = {
  'no-restricted-syntax': [
    'error',
    ...taken.map((selector) => ({
      selector,
      message: 'URLs are taken apart in common/endpoint.ts, so that nothing shows their passwords.',
    })),
  ],
};

const tests = ['**/*.test.ts', '**/testing/**'];

export default tseslint.config(
  { ignores: ['**/dist/', '.cache/', 'coverage/', '**/node_modules/'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js'] } } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    ignores: tests,
    rules: { 'import-x/no-restricted-paths': ['error', { zones: [...roomZones, TESTING] }] },
  },
  {
    files: ['{common,health,rpc,conductor}/**/*.ts'],
    ignores: [...tests, 'common/endpoint.ts', ...PURE_FILES],
    rules: oneParser,
  },
  { files: PURE_ROOM, ignores: tests, rules: { ...pure, ...onlyFrom('^(?!\\./)') } },
  // What they judge by besides their own: the judgements of Raft and of the cluster.
  {
    files: ['conductor/commands/doctor/judge/*.ts'],
    ignores: tests,
    rules: { ...pure, ...onlyFrom('^(?!\\./|.*/(raft/values|verdict/[\\w-]+)\\.js$)') },
  },
  { files: PURE_FILES, rules: { ...pure, ...onlyFrom(`^(?!(\\.{1,2}/)+([\\w-]+/)*(${pureNames})\\.js$)`) } },
  { files: ['e2e/**/*.ts'], rules: { 'no-console': 'off' } },
  { files: ['*.js'], extends: [tseslint.configs.disableTypeChecked] },
  prettier,
);
