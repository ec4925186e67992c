import { parseArgs } from 'node:util';
import { Cluster } from '../cluster/cluster.js';
import { commitLatency } from './commit-latency.js';
import { failover } from './failover.js';
import { flashblocks } from './flashblocks.js';
import { footprint } from './footprint.js';
import { withIdleCluster } from './idle-cluster.js';

const HELP = `Measures conductors; nothing here is a pass or a fail.

  npm run bench                                   everything, on clusters of its own
  npm run bench -- commit                         commit latency
  npm run bench -- failover [--rounds N]          start and lateness after faults
  npm run bench -- footprint [--count N]          memory and disk while payloads are committed
  npm run bench -- flashblocks [--clients N] [--seconds N]   fan-out of flashblocks, 5 frames per second
  npm run bench -- commit --urls URL,URL,…        commit latency of any running conductors
                     [--first-number N]           a height above everything that they hold
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    urls: { type: 'string' },
    rounds: { type: 'string', default: '30' },
    count: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    'first-number': { type: 'string', default: '1000' },
    help: { type: 'boolean', default: false },
  },
});

const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);

async function main(): Promise<void> {
  if (values.help) return console.log(HELP);
  if (wanted('commit')) {
    console.log(
      '\nCommit latency (JSON; floor: fdatasync of that size + one HTTP round trip with that body)\n',
    );
    const first = Number(values['first-number']);
    const urls = values.urls?.split(',');
    console.log(
      urls
        ? await commitLatency(urls, first)
        : await withIdleCluster(({ nodes }) =>
            commitLatency(
              nodes.map(({ baton }) => baton.rpcUrl),
              first,
            ),
          ),
    );
  }
  if (wanted('failover') && !values.urls) {
    console.log(
      '\nFailover (1 s blocks; lateness: arrival of the latest block against its timestamp, above normal)\n',
    );
    const cluster = await Cluster.start({ size: 3, blockTimeMs: 1000, formation: 'peers' });
    try {
      console.log(await failover(cluster, Number(values.rounds)));
    } finally {
      await cluster.stop();
    }
  }
  if (wanted('footprint') && !values.urls) {
    const count = Number(values.count);
    console.log(`\nMemory and disk while ${count} payloads of 100 kB are committed (retention 128 MiB)\n`);
    console.log(await withIdleCluster((cluster) => footprint(cluster, count, 100_000)));
  }
  if (wanted('flashblocks') && !values.urls) {
    console.log(
      '\nFan-out of flashblocks, 5 frames per second (CPU: of the Baton process, 100 % is one core)\n',
    );
    console.log(await flashblocks(Number(values.clients), Number(values.seconds)));
  }
}

await main();
process.exit(0);
