/** How long to wait before the next attempt: exponential with full jitter. Pure; chance is given. */

const DOUBLINGS_MAX = 16;

/** Waits uniform in [0, min(maxMs, firstMs * 2^failures)], so that clients don't come in step. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const BACKOFF: Backoff = { firstMs: 250, maxMs: 30_000 };

/** The wait after the first failure (0), the second (1), … `chance` is in [0, 1). */
export function waitMs({ firstMs, maxMs }: Backoff, failures: number, chance: number): number {
  const doublings = Math.min(Math.max(failures, 0), DOUBLINGS_MAX);
  return chance * Math.min(maxMs, firstMs * 2 ** doublings);
}
