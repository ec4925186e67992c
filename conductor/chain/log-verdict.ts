import type { Logger } from 'pino';
import type { CommittedHead, Verdict } from './chain-state.js';

/** Logs what an applied command has done to the chain, if that is unusual. */
export function logVerdict(logger: Logger, { number, hash }: CommittedHead, verdict: Verdict): void {
  if (verdict.type === 'gap') {
    logger.warn({ number, hash, missing: verdict.missing }, 'committed head leaves a gap');
  } else if (verdict.type === 'replacement') {
    const replaced = verdict.replaced.map((old) => ({ number: old.number, hash: old.hash }));
    logger.warn({ number, hash, replaced }, 'committed blocks were replaced');
  } else if (verdict.type === 'reset') {
    const { from, to, evidence, who } = verdict.reset;
    logger.warn({ from, to, depth: verdict.depth, evidence, who }, 'the committed head was reset');
  } else if (verdict.type === 'refused') {
    logger.warn({ number, hash, reason: verdict.reason }, 'committed entry has no effect');
  }
}
