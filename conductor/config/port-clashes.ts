import type { Rule } from './config-error.js';
import type { FlagName, FlagValues } from './flag-table.js';
import { isWildcard, withoutBrackets } from './host-port.js';

interface Listener {
  portFlag: 'consensus.port' | 'rpc.port' | 'metrics.port' | 'websocket.server-port';
  /** Null: not listening. */
  host: (values: FlagValues) => string | null;
}

const listeners: readonly Listener[] = [
  { portFlag: 'consensus.port', host: (values) => values['consensus.addr'] },
  { portFlag: 'rpc.port', host: (values) => values['rpc.addr'] },
  { portFlag: 'metrics.port', host: (values) => (values['metrics.enabled'] ? values['metrics.addr'] : null) },
  {
    portFlag: 'websocket.server-port',
    host: (values) => (values['rollupboost.ws-url'] === '' ? null : values['websocket.server-addr']),
  },
];

/** Two servers must not use the same port: the second would fail to listen, later and with a less helpful error. */
export const portClashes: readonly Rule[] = listeners.flatMap((first, i) =>
  listeners.slice(i + 1).map((second) => ({
    flags: [first.portFlag, second.portFlag] satisfies [FlagName, FlagName],
    violated: (values: FlagValues) => clash(first, second, values),
    text: (values: FlagValues) =>
      `${first.portFlag} and ${second.portFlag} are both ${values[first.portFlag]}`,
    remedy: 'use different ports',
  })),
);

function clash(first: Listener, second: Listener, values: FlagValues): boolean {
  const [a, b] = [first.host(values), second.host(values)];
  const port = values[first.portFlag];
  if (a === null || b === null || port === 0 || port !== values[second.portFlag]) return false;
  return withoutBrackets(a) === withoutBrackets(b) || isWildcard(a) || isWildcard(b);
}
