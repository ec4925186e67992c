import { describe, expect, it } from '@jest/globals';
import { memberStatus } from '../commands/testing/fake-cluster.js';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { RecordReaders } from './record-readers.js';

const SERVERS = ['a', 'b', 'c'].map((id) => ({
  id,
  addr: `${id}:1`,
  suffrage: 0 as const,
  disk: `disk-${id}`,
}));

function ownStatus(servers = SERVERS): ConductorStatus {
  return memberStatus('a', { membership: { version: 7, servers } });
}

describe('RecordReaders', () => {
  it('excludes a member that is silent or of an older release, and remembers who reads records', async () => {
    const formats = new Map<string, number | undefined>([['b', undefined]]);
    const asked: string[] = [];
    let servers = SERVERS;
    const readers = new RecordReaders(
      () => ownStatus(servers),
      async (address) => {
        const id = address.slice(0, 1);
        asked.push(id);
        if (!formats.has(id)) throw new Error('connection refused');
        const { recordFormat: _, ...older } = memberStatus(id);
        const recordFormat = formats.get(id);
        return { nodeId: id, status: recordFormat === undefined ? older : { ...older, recordFormat } };
      },
      1,
    );
    expect(await readers.missing()).toEqual(['b', 'c']);
    formats.set('b', 1).set('c', 0);
    expect(await readers.missing()).toEqual(['c']);
    formats.set('c', 2).delete('b');
    asked.length = 0;
    expect(await readers.missing()).toEqual([]);
    expect(asked).toEqual(['c']);
    // The same id with another disk.
    servers = SERVERS.map((server) => (server.id === 'b' ? { ...server, disk: 'new' } : server));
    expect(await readers.missing()).toEqual(['b']);
  });
});
