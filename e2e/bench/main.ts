import { parseArgs } from 'node:util';
import { ProcessCluster } from '../cluster/process-cluster.js';
import { cliCost } from './cli-cost.js';
import { commitLatency } from './commit-latency.js';
import { decoding } from './decoding.js';
import { failover } from './failover.js';
import { flashblocks } from './flashblocks.js';
import { footprint } from './footprint.js';
import { getters } from './getters.js';
import { withIdleCluster } from './idle-cluster.js';

const HELP = `Measures conductors; nothing here is a pass or a fail.

  npm run bench                                   everything, on clusters of its own
  npm run bench -- commit [--binary]              commit latency, by JSON or by SSZ bodies
  npm run bench -- decoding                       what a payload costs before it is proposed, per MB
  npm run bench -- getters [--seconds N]          getters per second beside commits of 1 MB each second
  npm run bench -- failover [--rounds N] [--fault TEXT]   start and lateness after faults, or those of that name
  npm run bench -- footprint [--count N]          memory and disk while payloads are committed
  npm run bench -- flashblocks [--clients N] [--seconds N]   fan-out of flashblocks, 5 frames per second
  npm run bench -- cli                            CPU of baton --version and baton status, against bare node
  npm run bench -- commit --urls URL,URL,…        commit latency of any running conductors
                     [--first-number N]           a height above everything that they hold
  --quick                                         few rounds, to see whether it works
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    urls: { type: 'string' },
    rounds: { type: 'string', default: '30' },
    fault: { type: 'string' },
    count: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    binary: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    'first-number': { type: 'string', default: '1000' },
    help: { type: 'boolean', default: false },
  },
});

const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);

async function main(): Promise<void> {
  if (values.help) return console.log(HELP);
  if (wanted('commit')) {
    const { binary, quick } = values;
    console.log(
      `\nCommit latency (${binary ? 'SSZ' : 'JSON'}; floor: fdatasync of that size + one HTTP round trip with that body)\n`,
    );
    const firstNumber = Number(values['first-number']);
    const measure = (urls: readonly string[]): Promise<string> =>
      commitLatency({ urls, firstNumber, binary, quick });
    console.log(
      values.urls
        ? await measure(values.urls.split(','))
        : await withIdleCluster(({ nodes }) => measure(nodes.map(({ baton }) => baton.rpcUrl))),
    );
  }
  if (wanted('decoding') && !values.urls) {
    console.log('\nDecoding of payloads, in ms per MB of body (p50; transactions of 350 bytes)\n');
    console.log(decoding(values.quick ? 3 : 50));
  }
  if (wanted('getters') && !values.urls) {
    console.log('\nGetters (conductor_leader) at the leader, beside a commit of 1 MB each second\n');
    console.log(await withIdleCluster((cluster) => getters(cluster, Number(values.seconds))));
  }
  if (wanted('failover') && !values.urls) {
    console.log(
      '\nFailover (1 s blocks; lateness: arrival of the latest block against its timestamp, above normal)\n',
    );
    const cluster = await new ProcessCluster().start({ size: 3, blockTimeMs: 1000, formation: 'peers' });
    try {
      console.log(await failover(cluster, { rounds: Number(values.rounds), only: values.fault }));
    } finally {
      await cluster.stop();
    }
  }
  if (wanted('footprint') && !values.urls) {
    const count = Number(values.count);
    console.log(`\nMemory and disk while ${count} payloads of 100 kB are committed (retention 128 MiB)\n`);
    console.log(await withIdleCluster((cluster) => footprint(cluster, count, 100_000)));
  }
  if (wanted('cli') && !values.urls) {
    console.log('\nThe command line (medians; CPU: user and system, of the whole process)\n');
    console.log(await withIdleCluster((cluster) => cliCost(cluster, values.quick ? 3 : 20)));
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
