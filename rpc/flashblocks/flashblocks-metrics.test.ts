import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { FlashblocksMetrics } from './flashblocks-metrics.js';
import { listen, startProxy, startUpstream, until } from './testing/start-proxy.js';

it('counts what it does', async () => {
  const registry = new Registry();
  const upstream = await startUpstream();
  const observer = new FlashblocksMetrics(registry, upstream.url);
  const { port } = await startProxy({ upstreamUrl: upstream.url, observer });
  const [client] = await Promise.all([listen(port), listen(port)]);
  await until(
    () => Boolean(client?.frames.length),
    () => upstream.send('12345'),
  );
  const page = await registry.metrics();
  expect(page).toContain(
    `op_conductor_rollup_boost_connection_attempts_count{success="true",source="${upstream.url}"} 1\n`,
  );
  expect(page).toContain('op_conductor_websocket_clients_connected 2\n');
  expect(page).toContain('op_conductor_flashblocks_upstream_connected 1\n');
  const frames = Number(/op_conductor_flashblocks_frames_forwarded_total (\d+)/.exec(page)?.[1]);
  expect(frames).toBeGreaterThan(0);
  expect(page).toContain(`op_conductor_flashblocks_bytes_sent_total ${frames * 10}\n`);
});
