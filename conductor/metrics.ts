import { Counter, Gauge, Registry } from 'prom-client';

/** Metrics of the conductor, by op-conductor's names where it has them (op-conductor.md §6). */
export class Metrics {
  readonly registry = new Registry();
  readonly info = new Gauge({
    name: 'op_conductor_info',
    help: 'Pseudo-metric tracking version and config info',
    labelNames: ['version'],
    registers: [this.registry],
  });
  readonly up = new Gauge({
    name: 'op_conductor_up',
    help: '1 if the op-conductor has finished starting up',
    registers: [this.registry],
  });
  readonly replacedBlocks = new Counter({
    name: 'op_conductor_replaced_blocks_total',
    help: 'Number of committed blocks that a linked replacement took the place of',
    registers: [this.registry],
  });
  readonly gaps = new Counter({
    name: 'op_conductor_chain_gaps_total',
    help: 'Number of committed blocks that left a gap below them',
    registers: [this.registry],
  });
  readonly head = new Gauge({
    name: 'op_conductor_committed_head_number',
    help: 'Height of the newest committed unsafe block that is applied on this node',
    registers: [this.registry],
  });
}
