/** ts-jest only transpiles; `npm run types` is the type check. */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        useESM: true,
        diagnostics: false,
        tsconfig: {
          isolatedModules: true,
          esModuleInterop: true,
          module: 'ESNext',
          moduleResolution: 'bundler',
          target: 'ES2022',
          verbatimModuleSyntax: true,
        },
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/(?:.*/)?dist/', '<rootDir>/.cache'],
};

const processes = ['<rootDir>/e2e/tests/', '<rootDir>/e2e/demo/'];

export default {
  testTimeout: 120_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/{common,raft,health,rpc,conductor,e2e}/**/*.test.ts'],
      testPathIgnorePatterns: processes,
    },
    // Whole clusters of processes: their ports are their own, so two files run at a time.
    { ...common, displayName: 'processes', testMatch: processes.map((folder) => `${folder}**/*.test.ts`) },
  ],
};
