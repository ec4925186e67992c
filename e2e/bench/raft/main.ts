import { parseArgs } from 'node:util';
import { TIMING_PROFILES } from '../../../raft/index.js';
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

const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);

if (values.help) console.log(HELP);
else {
  if (wanted('elections')) {
    console.log('\nThree bare Raft processes: from the fault to the committed no-op of the next leader\n');
    console.log(await elections(Number(values.rounds)));
  }
  if (wanted('heartbeats')) {
    const { heartbeatIntervalMs } = TIMING_PROFILES.lan;
    console.log(`\nThree conductors with the profile lan: heartbeats every ${heartbeatIntervalMs} ms\n`);
    const seconds = Number(values.seconds);
    console.log(await withIdleCluster((cluster) => heartbeats(cluster, seconds, heartbeatIntervalMs)));
  }
}
process.exit(0);
