import { describe, expect, it } from '@jest/globals';
import { shownSettings } from './shown-settings.js';
import { configOf } from './testing/command-line.js';

const shown = (...more: string[]): Record<string, unknown> => shownSettings(configOf(more));

describe('shownSettings', () => {
  it('has exactly the given settings, by flag', () => {
    expect(shown('--log.level', 'debug')).toMatchObject({
      'raft.server.id': 'sequencer-0',
      'log.level': 'debug',
    });
    expect(shown()).not.toHaveProperty('log.level');
  });

  it('shows no part of a URL that may be secret', () => {
    const settings = shown('--node.rpc', 'http://user:s3cret@10.0.0.1:9545/s3cret?key=s3cret');
    expect(settings['node.rpc']).toBe('http://10.0.0.1:9545');
    expect(JSON.stringify(settings)).not.toContain('s3cret');
  });
});
