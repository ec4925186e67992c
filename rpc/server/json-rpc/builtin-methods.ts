import type { Method, MethodTable } from './method-table.js';
import { method } from './method-table.js';

/**
 * Completes a table with the methods of every op-service server: `health_status` (the version) and
 * `rpc_modules` (the namespaces of the table).
 */
export function withBuiltinMethods(methods: MethodTable, version: string): MethodTable {
  const all = new Map<string, Method>(methods);
  all.set(
    'health_status',
    method([], () => version),
  );
  all.set(
    'rpc_modules',
    method([], () => modules),
  );
  const namespaces = [...all.keys()].map((name) => name.slice(0, name.indexOf('_')));
  const modules = Object.fromEntries([...new Set(namespaces)].sort().map((name) => [name, '1.0']));
  return all;
}
