import { ageSeconds, checks } from './checks.js';
import type { HealthLimits, HealthReason, HealthVerdict } from './health-report.js';
import type { Observation } from './probes/observation.js';

/** Applies all checks to an observation. Pure. */
export function evaluate(observation: Observation, limits: HealthLimits): HealthVerdict {
  const { syncStatus, peerStats } = observation;
  const facts: Pick<HealthVerdict, 'unsafeHead' | 'peers'> = {};
  if (syncStatus?.ok) facts.unsafeHead = syncStatus.value.unsafeL2;
  if (peerStats?.ok) facts.peers = peerStats.value.connected;

  const found = checks.flatMap((check) => check(observation, limits) ?? []);
  const of = (wanted: HealthReason['severity']): HealthReason[] =>
    found.filter(({ severity }) => severity === wanted);
  const reasons = [...of('unhealthy'), ...of('degraded')];
  const [worst] = reasons;
  const status = worst?.severity ?? 'healthy';
  const summary = worst?.message ?? describe(observation);
  return { healthy: status !== 'unhealthy', status, reasons, summary, ...facts };
}

/** The numbers of a healthy node. */
function describe({ syncStatus, peerStats }: Observation): string {
  if (!syncStatus?.ok || !peerStats?.ok) return 'not checked yet';
  const { number, timestamp } = syncStatus.value.unsafeL2;
  const age = ageSeconds(timestamp, syncStatus.askedAtMs);
  return `unsafe head ${number} is ${age} s old, ${peerStats.value.connected} peers connected`;
}
