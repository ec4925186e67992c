import type { Logger } from 'pino';
import type { Sleep } from '../time/sleep.js';

/** Things that a start needs. */
type Awaited = 'data-directory' | 'ports' | 'op-node' | 'execution-client' | 'cluster' | 'leader';

/** Something that is not there yet. */
export interface Obstacle {
  waitsFor: Awaited;
  /** The last observation, with names and addresses. */
  reason: string;
}

/** What an operator can do about it; docs/ERRORS.md has the same list. */
const REMEDY: Readonly<Record<Awaited, string>> = {
  'data-directory':
    'check that the volume of --raft.storage.dir is there and responds; a large log on a slow disk takes time',
  ports: 'check that the name server answers, or listen on addresses',
  'op-node': 'start op-node, with the admin API, or correct --node.rpc',
  'execution-client': 'start the execution client, or correct --execution.rpc',
  cluster: 'start the other nodes of --raft.peers, or add this one on the leader: baton add ID HOST:PORT',
  leader: 'start the other members; "a peer does not answer" in the log says which one is missing, and why',
};

const LOOK_MS = 500;
/** Shorter than the patience of an operator who watches a start. */
const FIRST_LINE_MS = 2000;
const LAST_PAUSE_MS = 60_000;

interface StartWatchOptions {
  /** What is missing now; empty when the start is complete. */
  obstacles: () => Obstacle[];
  logger: Logger;
  signal: AbortSignal;
  sleep: Sleep;
}

/** Logs what a start waits for: soon, on each change, then with growing pauses. Resolves when nothing is missing. */
export async function watchStart({ obstacles, logger, signal, sleep }: StartWatchOptions): Promise<void> {
  const startedAtMs = performance.now();
  let told = '';
  let pauseMs = FIRST_LINE_MS;
  let nextAtMs = startedAtMs + FIRST_LINE_MS;
  for (;;) {
    await sleep(LOOK_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const missing = obstacles();
    const nowMs = performance.now();
    if (missing.length === 0) {
      if (told !== '') logger.info({ tookMs: Math.round(nowMs - startedAtMs) }, 'startup no longer waits');
      return;
    }
    const names = missing.map(({ waitsFor }) => waitsFor).join();
    const isNews = told !== '' && names !== told;
    if (nowMs < nextAtMs && !isNews) continue;
    told = names;
    nextAtMs = nowMs + pauseMs;
    pauseMs = isNews ? FIRST_LINE_MS : Math.min(2 * pauseMs, LAST_PAUSE_MS);
    const waitsFor = missing.map((obstacle) => ({ ...obstacle, remedy: REMEDY[obstacle.waitsFor] }));
    logger.warn({ waitsFor, forMs: Math.round(nowMs - startedAtMs) }, 'startup is waiting');
  }
}
