import { parseArgs } from 'node:util';
import { TIMING_PROFILES } from '../../../raft/index.js';
import { withIdleCluster } from '../idle-cluster.js';
import { elections } from './elections.js';
import { heartbeats } from './heartbeats.js';
import { securedCommits, securedFailovers, SECURITIES } from './security.js';

const HELP = `Measures Raft alone; nothing here is a pass or a fail.

  npm run bench:raft                                  everything
  npm run bench:raft -- elections [--rounds N]        leader lost → committed no-op of the next one
  npm run bench:raft -- security [--rounds N] [--security open,tls,secret]
                                                      commits and lost leaders by how the port is secured, in turns
  npm run bench:raft -- heartbeats [--seconds N]      heartbeats while payloads flow and while the RPC port is busy
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '200' },
    security: { type: 'string', default: SECURITIES.join(',') },
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
  if (wanted('security')) {
    const securities = SECURITIES.filter((security) => values.security.split(',').includes(security));
    const rounds = Number(values.rounds);
    console.log(
      '\nCommits (SSZ) with the consensus port open, with certificates and with a secret, in turns\n',
    );
    console.log(await securedCommits(securities, rounds));
    console.log('\nThe same: from kill -9 of the leader to the committed no-op of the next one\n');
    console.log(await securedFailovers(securities, rounds));
  }
  if (wanted('heartbeats')) {
    const { heartbeatIntervalMs } = TIMING_PROFILES.lan;
    console.log(`\nThree conductors with the profile lan: heartbeats every ${heartbeatIntervalMs} ms\n`);
    const seconds = Number(values.seconds);
    console.log(await withIdleCluster((cluster) => heartbeats(cluster, seconds, heartbeatIntervalMs)));
  }
}
process.exit(0);
