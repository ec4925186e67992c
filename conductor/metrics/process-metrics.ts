import { readFile } from 'node:fs/promises';
import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client';

/**
 * Memory, processor, files and event loop of this process, and the three metrics of Go's process collector that
 * prom-client lacks. Those three exist only on Linux.
 */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  procMetric(
    Gauge,
    registry,
    'process_virtual_memory_max_bytes',
    'Maximum amount of virtual memory available in bytes.',
    '/proc/self/limits',
    (text) => {
      const [, soft] = /^Max address space +(\S+)/m.exec(text) ?? [];
      return soft === 'unlimited' ? 2 ** 64 : Number(soft);
    },
  );
  for (const [name, direction, verb] of [
    ['process_network_receive_bytes_total', 'InOctets', 'received'],
    ['process_network_transmit_bytes_total', 'OutOctets', 'sent'],
  ] as const) {
    const help = `Number of bytes ${verb} by the process over the network.`;
    procMetric(Counter, registry, name, help, '/proc/self/net/netstat', (text) => octets(text, direction));
  }
}

function octets(netstat: string, direction: string): number {
  const [names = [], values = []] = [...netstat.matchAll(/^IpExt: (.*)$/gm)].map(([, line]) =>
    line!.split(' '),
  );
  return Number(values[names.indexOf(direction)]);
}

function procMetric(
  Kind: typeof Gauge | typeof Counter,
  registry: Registry,
  name: string,
  help: string,
  file: string,
  read: (text: string) => number,
): void {
  new Kind({
    name,
    help,
    registers: [registry],
    async collect() {
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text === undefined) return;
      this.reset();
      this.inc(read(text));
    },
  });
}
