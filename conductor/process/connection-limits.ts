import { readFileSync } from 'node:fs';

/** How many connections the ports accept at a time. */
export interface ConnectionLimits {
  rpc: number;
  flashblocksClients: number;
  /** For the log, if there is room for fewer than usual. */
  warning?: { openFilesMax: number; rpc: number; flashblocksClients?: number; remedy: string };
}

const RPC_MAX = 4096;
const FLASHBLOCKS_CLIENTS_MAX = 10_000;
/**
 * What everything else needs: 512 connections of the consensus port, 64 of the metrics port, some 100 tables of the
 * database, handshakes, calls to the local node and to peers, libraries.
 */
const RESERVED = 1024;
/** Each port accepts at least this many: the local op-node and an operator must get through. */
const RPC_MIN = 64;
const FLASHBLOCKS_CLIENTS_MIN = 16;
/** Assumed if the limit is unknown: nearly every system allows at least this many. */
const UNKNOWN_OPEN_FILES_MAX = 4096;

/**
 * Shares out the descriptors of this process. A port that took all of them would leave none for consensus and the disk,
 * and a node whose disk cannot open a file ends.
 *
 * @param openFilesMax the limit of this process; undefined if unknown
 */
export function connectionLimits(
  openFilesMax: number | undefined,
  { flashblocks }: { flashblocks: boolean },
): ConnectionLimits {
  const known = openFilesMax ?? UNKNOWN_OPEN_FILES_MAX;
  // If there are very few, take half of them: the reserve is meant for a busy node.
  const free = Math.max(known - RESERVED, Math.floor(known / 4));
  const rpc = clamp(flashblocks ? Math.floor(free / 3) : free, RPC_MIN, RPC_MAX);
  const flashblocksClients = clamp(free - rpc, FLASHBLOCKS_CLIENTS_MIN, FLASHBLOCKS_CLIENTS_MAX);
  const isFew = rpc < RPC_MAX || (flashblocks && flashblocksClients < FLASHBLOCKS_CLIENTS_MAX);
  if (!isFew || openFilesMax === undefined) return { rpc, flashblocksClients };
  const needed = RESERVED + RPC_MAX + (flashblocks ? FLASHBLOCKS_CLIENTS_MAX : 0);
  const remedy = `allow ${needed} open files or more (ulimit -n, LimitNOFILE)`;
  return {
    rpc,
    flashblocksClients,
    warning: { openFilesMax, rpc, ...(flashblocks && { flashblocksClients }), remedy },
  };
}

/** How many descriptors this process may open; Infinity without a limit, undefined if unknown. */
export function openFilesMax(): number | undefined {
  try {
    return parseOpenFilesMax(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Not Linux: the report costs tens of milliseconds, but works on other systems as well.
    return softLimitOfReport(process.report.getReport());
  }
}

/** @param limits text of /proc/self/limits; the soft limit counts, which node has raised to the hard one */
export function parseOpenFilesMax(limits: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits) ?? [];
  return toLimit(soft);
}

function softLimitOfReport(report: unknown): number | undefined {
  const { userLimits } = report as { userLimits?: { open_files?: { soft?: unknown } } };
  return toLimit(String(userLimits?.open_files?.soft));
}

function toLimit(text: string | undefined): number | undefined {
  if (text === 'unlimited') return Infinity;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
