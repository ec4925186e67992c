/** How soon a certificate expires. */
export type ExpiryStage = 'far' | 'soon' | 'very-soon' | 'over';

const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;
const VERY_SOON_MS = DAY_MS;

/** @param expiresMs and `nowMs` by the wall clock */
export function expiryStage(expiresMs: number, nowMs: number): ExpiryStage {
  const leftMs = expiresMs - nowMs;
  if (leftMs <= 0) return 'over';
  if (leftMs <= VERY_SOON_MS) return 'very-soon';
  return leftMs <= SOON_MS ? 'soon' : 'far';
}
