import path from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { MIB } from '../../../common/bytes.js';
import { HttpTransport, LevelStorage, RaftNode, type Member } from '../../../raft/index.js';
import { Metrics } from '../../../conductor/metrics/metrics.js';
import { createSecurity } from '../../../conductor/process/consensus.js';
import { limitsOf, timingOf } from '../../../conductor/process/raft-options.js';
import { parseConfig } from '../../../conductor/config/parse-config.js';
import { HEALTH_FLAGS } from '../../cluster/baton-process.js';
import { nowMs } from './clock.js';

/**
 * One bare Raft node in a process of its own: `node-process.ts <id> <port> <directory> [flags]`. It takes orders from
 * its parent and tells it when it leads, in lines of JSON. Its options are Baton's defaults.
 */

/** What the parent may ask for. */
export type Order =
  { type: 'found'; members: Member[] } | { type: 'transfer' } | { type: 'status'; id: number };

/** What the node tells its parent. */
export type Report =
  | { type: 'started'; member: Member }
  /** An entry of its own term is committed; `atMs` by the clock that all processes share. */
  | { type: 'ready'; term: number; atMs: number }
  | { type: 'transferring'; atMs: number }
  | { type: 'status'; id: number; ready: boolean; term: number; followersInTouch: number };

/** A follower is in touch when it has the whole log and answered lately. */
const IN_TOUCH_MS = 200;

const [id = '', port = '', directory = '', ...flags] = process.argv.slice(2);
const report = (message: Report): void => console.log(JSON.stringify(message));

const parsed = parseConfig(
  [
    ...['--raft.server.id', id, '--raft.storage.dir', directory],
    ...['--consensus.addr', '127.0.0.1', '--consensus.port', port],
    ...['--node.rpc', 'http://127.0.0.1:1', '--execution.rpc', 'http://127.0.0.1:1'],
    ...HEALTH_FLAGS,
    ...flags,
  ],
  {},
);
if (!('config' in parsed)) throw new Error('the flags of a bare node are wrong');
const timing = timingOf(parsed.config);

const node = new RaftNode<null>({
  nodeId: id,
  priority: 0,
  crashEvidence: true,
  timing,
  limits: limitsOf(32 * MIB),
  retention: { bytesMax: 128 * MIB, entriesMax: 10_000 },
  storage: new LevelStorage({ directory: path.join(directory, 'log') }),
  stateMachine: { apply: () => null, snapshotAt: async () => new Uint8Array(0), restore: () => undefined },
  logger: pino({ level: 'silent' }),
  onFatal: (error) => {
    throw error;
  },
});
const silent = pino({ level: 'silent' });
const security = createSecurity(parsed.config, new Metrics('').security, silent);
await security?.load();
const transport = new HttpTransport({
  bind: { host: '127.0.0.1', port: Number(port) },
  bodyLimitBytes: 33 * MIB,
  timeouts: () => ({ controlMs: timing.electionTimeoutMs, bulkMs: 1000, snapshotMs: 10_000 }),
  ...(security ? { security } : {}),
  logger: silent,
});

node.on('leaderReady', () => report({ type: 'ready', term: node.status().term, atMs: nowMs() }));
const orders = createInterface(process.stdin).on('close', () => process.exit(0));
orders.on('line', (line) => {
  const order = JSON.parse(line) as Order;
  switch (order.type) {
    case 'found':
      return void node.bootstrap(order.members);
    case 'transfer':
      report({ type: 'transferring', atMs: nowMs() });
      return void node.transferLeadership();
    case 'status': {
      const { term, ready, lastIndex, peers } = node.status();
      const inTouch = peers.filter(
        (peer) => peer.id !== id && peer.matchIndex === lastIndex && peer.lastContactMs < IN_TOUCH_MS,
      );
      return report({ type: 'status', id: order.id, ready, term, followersInTouch: inTouch.length });
    }
  }
});

await node.open();
await node.start(transport);
report({
  type: 'started',
  member: { id, address: `127.0.0.1:${port}`, incarnation: node.identity.incarnation, voter: true },
});
