import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

type NoLabels = never;

/** Makes metrics of one registry, each with its name, text and labels. docs/METRICS.md lists all of them. */
export class Families {
  constructor(private readonly registry: Registry) {}

  counter<L extends string = NoLabels>(name: string, help: string, ...labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  gauge<L extends string = NoLabels>(name: string, help: string, ...labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  /** @param buckets upper bounds in seconds */
  histogram<L extends string = NoLabels>(
    name: string,
    help: string,
    buckets: readonly number[],
    ...labelNames: L[]
  ): Histogram<L> {
    return new Histogram({ name, help, buckets: [...buckets], labelNames, registers: [this.registry] });
  }
}

/** The buckets of all op-conductor's histograms. */
export const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** For durations of milliseconds. */
export const FINE_BUCKETS = [
  0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
] as const;
