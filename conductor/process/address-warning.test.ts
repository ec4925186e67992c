import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { CoreStatus, Member, RaftNodeEvents } from '../../raft/index.js';
import { parseConfig } from '../config/parse-config.js';
import { AddressWarning } from './address-warning.js';

/** A node whose cluster has these addresses. */
class FakeNode extends EventEmitter<RaftNodeEvents> {
  readonly nodeId = 'a';
  members: Member[] = [];

  status(): Pick<CoreStatus, 'configuration'> {
    return { configuration: { index: 1, configuration: { members: this.members } } };
  }

  list(...addresses: [id: string, address: string][]): void {
    this.members = addresses.map(([id, address]) => ({ id, address, incarnation: id, voter: true }));
    this.emit('configuration', {
      type: 'configuration',
      ...this.status().configuration,
      reason: 'members changed',
    });
  }
}

interface Warning {
  code: string;
  listed: string;
  advertised: string;
  remedy: string;
}

/** The warnings of a node with these flags besides the common ones. */
function warningsWith(...flags: string[]): { node: FakeNode; warned: Warning[] } {
  const parsed = parseConfig(
    [
      ...['--consensus.port=50050', '--raft.server.id=a', '--raft.storage.dir=/data', '--rollup.config=/x'],
      ...['--node.rpc=http://127.0.0.1:1', '--execution.rpc=http://127.0.0.1:2', '--healthcheck.interval=1'],
      ...['--healthcheck.unsafe-interval=60', '--healthcheck.min-peer-count=1', ...flags],
    ],
    {},
  );
  if (!('config' in parsed)) throw new Error('only help');
  const warned: Warning[] = [];
  const write = (line: string): void => void warned.push(JSON.parse(line) as Warning);
  const node = new FakeNode();
  const warning = new AddressWarning(parsed.config, node, pino({ level: 'warn' }, { write }));
  warning.check();
  return { node, warned };
}

const ADVERTISED = ['--consensus.addr=0.0.0.0', '--consensus.advertised=a.example:50050'];
const PEERS = '--raft.peers=a@10.0.0.1:50050,b@10.0.0.2:50050';

describe('AddressWarning', () => {
  it('warns once if the log has another address than the advertised one, with the command that changes it', () => {
    const { node, warned } = warningsWith(...ADVERTISED);
    node.list(['a', '10.9.9.9:50050'], ['b', '10.0.0.2:50050']);
    node.list(['a', '10.9.9.9:50050']);
    expect(warned).toHaveLength(1);
    expect(warned[0]).toMatchObject({
      code: 'address-differs',
      listed: '10.9.9.9:50050',
      advertised: 'a.example:50050',
      remedy: expect.stringContaining('baton add a a.example:50050'),
    });
  });

  it('uses the list of peers if nothing is advertised', () => {
    const { node, warned } = warningsWith('--consensus.addr=0.0.0.0', PEERS);
    node.list(['a', '10.0.0.1:50051']);
    expect(warned).toMatchObject([{ listed: '10.0.0.1:50051', advertised: '10.0.0.1:50050' }]);
  });

  it('warns again about a different address, and about the same one if it was right in between', () => {
    const { node, warned } = warningsWith(...ADVERTISED);
    for (const address of ['one:1', 'two:2', 'a.example:50050', 'two:2']) node.list(['a', address]);
    expect(warned.map(({ listed }) => listed)).toEqual(['one:1', 'two:2', 'two:2']);
  });

  it.each<[string, string[], [string, string][]]>([
    ['the addresses agree', ADVERTISED, [['a', 'A.Example:50050']]],
    ['another member has another address', ADVERTISED, [['b', 'b.example:50050']]],
    ['the log has no members yet', ADVERTISED, []],
    ['only the listen address is known', ['--consensus.addr=127.0.0.1'], [['a', 'a.example:50050']]],
  ])('says nothing when %s', (_, flags, members) => {
    const { node, warned } = warningsWith(...flags);
    node.list(...members);
    expect(warned).toEqual([]);
  });
});
