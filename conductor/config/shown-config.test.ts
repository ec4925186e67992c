import { describe, expect, it } from '@jest/globals';
import type { Config } from './config.js';
import { shownConfig, withoutUrlSecrets } from './shown-config.js';
import { configOf } from './testing/command-line.js';

/** The configuration with another text in place of each text that has a value. */
function withTexts(config: Config, text: string): Config {
  const replaced: unknown = JSON.parse(
    JSON.stringify(config, (_, value: unknown) => (typeof value === 'string' && value !== '' ? text : value)),
  );
  return replaced as Config;
}

const all = configOf([
  '--rollupboost.ws-url=ws://user:planted@builder:1111/planted?key=planted',
  '--raft.peers=sequencer-0@127.0.0.1:50050,sequencer-1@127.0.0.1:50051,sequencer-2@127.0.0.1:50052',
]);

describe('the configuration that may be passed on', () => {
  it('shows what is set, but only the host of URLs', () => {
    expect(shownConfig(all)).toMatchObject({
      raft: { serverId: 'sequencer-0', storageDir: '/data/raft' },
      node: { rpcUrl: 'http://op-node:9545' },
      health: { intervalMs: 1000 },
      flashblocks: { upstreamUrl: 'ws://builder:1111/***' },
      explicit: { 'rollupboost.ws-url': 'ws://builder:1111/***', 'execution.rpc': 'http://geth:8545' },
    });
  });

  it.each([
    'https://planted:x@host',
    'https://:planted@host/',
    'https://host/planted',
    'https://host?planted',
    'https://host#planted',
    'https://user:pl,planted@host',
    'https://a,https://planted@b',
    'user:planted@host',
  ])('never shows the secret of %s', (text) => {
    expect(JSON.stringify(withTexts(all, text))).toContain('planted');
    expect(JSON.stringify(shownConfig(withTexts(all, text)))).not.toContain('planted');
  });

  it('hides settings whose name calls them secret', () => {
    const config = { ...all, rpc: { ...all.rpc, token: 'planted', tokens: ['planted'] } };
    expect(shownConfig(config)).toMatchObject({ rpc: { token: '***', tokens: ['***'] } });
  });
});

describe('the output of programs', () => {
  it.each([
    ['{"url":"ws://u:p@b:1/planted","n":1}', '{"url":"ws://***@b:1/***","n":1}'],
    ['x{source="ws://b:1/planted"} 5', 'x{source="ws://b:1/***"} 5'],
    ['at https://h/planted?k=planted: refused', 'at https://h/*** refused'],
    ['http://10.0.0.1:8547 answers', 'http://10.0.0.1:8547 answers'],
    ['http://10.0.0.1:8547/ answers', 'http://10.0.0.1:8547/ answers'],
    ['at file:///app/main.js:1:2', 'at file:///app/main.js:1:2'],
  ])('%s', (text, shown) => {
    expect(withoutUrlSecrets(text)).toBe(shown);
  });
});
