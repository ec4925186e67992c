import type { MachineFacts } from '../facts.js';
import { ok, warning, type Finding } from './finding.js';

/** Whether the ports are free. */
export function judgePorts({ ports, alreadyRuns, serverId }: MachineFacts): Finding[] {
  if (alreadyRuns) {
    return [warning('ports', 'already-runs', `${serverId} already runs here: its ports are not checked`)];
  }
  const bad = ports.flatMap(({ problem }): Finding[] =>
    problem
      ? [
          {
            check: 'ports',
            level: 'failure',
            code: problem.code,
            text: problem.message,
            remedy: problem.remedy,
          },
        ]
      : [],
  );
  if (bad.length > 0) return bad;
  return [ok('ports', `free: ${ports.map(({ name, port }) => `${name} ${port}`).join(', ')}`)];
}
