import { parseArgs } from 'node:util';
import { withIdleCluster } from '../idle-cluster.js';
import { elections } from './elections.js';
import { heartbeats } from './heartbeats.js';

const HELP = `Measures Raft alone; nothing here is a pass or a fail.

  npm run bench:raft                                  everything
  npm run bench:raft -- elections [--rounds N]        leader lost → committed no-op of the next one
  npm run bench:raft -- heartbeats [--seconds N]      heartbeats while payloads flow and while the RPC port is busy
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
});

const HEARTBEAT_INTERVAL_MS = 100;
const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);

if (values.help) console.log(HELP);
else {
  if (wanted('elections')) {
    console.log('\nThree bare Raft processes: from the fault to the committed no-op of the next leader\n');
    console.log(await elections(Number(values.rounds)));
  }
  if (wanted('heartbeats')) {
    console.log(`\nThree conductors, heartbeats every ${HEARTBEAT_INTERVAL_MS} ms\n`);
    const flags = ['--raft.heartbeat-interval', `${HEARTBEAT_INTERVAL_MS}ms`];
    const seconds = Number(values.seconds);
    console.log(
      await withIdleCluster((cluster) => heartbeats(cluster, seconds, HEARTBEAT_INTERVAL_MS), flags),
    );
  }
}
process.exit(0);
