/** Time as an argument of the edge. Only `REAL_TIMING` reads a clock. */

export interface Timing {
  /** Milliseconds that never run backwards. */
  nowMs(): number;
  /** Call once after so long; what is returned cancels it. */
  after(ms: number, call: () => void): () => void;
}

export const REAL_TIMING: Timing = {
  nowMs: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};
