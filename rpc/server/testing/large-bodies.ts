const tsx = new URL('../../../node_modules/tsx/dist/esm/api/index.mjs', import.meta.url).href;
const thread = new URL('../large-bodies/thread.ts', import.meta.url).href;
const bootstrap = `const { register } = await import('${tsx}'); register(); await import('${thread}');`;

/** For a `LargeBodyReader` in a test: its thread runs the TypeScript sources. */
export const LARGE_BODIES_FROM_SOURCES = {
  script: new URL(`data:text/javascript,${encodeURIComponent(bootstrap)}`),
  timeoutMs: 60_000,
};
