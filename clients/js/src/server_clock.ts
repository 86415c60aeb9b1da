/**
 * The hub's clock as seen through ours: for ages, and for how long a message was on its way.
 *
 * Pure. The quickest message of the last half minute or so tells the offset: what arrives later than that waited
 * somewhere. Two windows take turns, so a stepped or drifting clock is forgotten after a minute.
 */

const WINDOW_MS = 30_000;

export class ServerClock {
  #offsetMs: number | null = null;
  #beforeMs: number | null = null;
  #windowEndsMs = 0;

  /** Take one reading; how much longer than the quickest this message was on its way. */
  observe(serverTimeMs: number, nowMs: number): number {
    const offset = serverTimeMs - nowMs;
    if (nowMs >= this.#windowEndsMs) {
      this.#beforeMs = this.#offsetMs;
      this.#offsetMs = null;
      this.#windowEndsMs = nowMs + WINDOW_MS;
    }
    this.#offsetMs = Math.max(this.#offsetMs ?? offset, offset);
    return this.#best(offset) - offset;
  }

  /** The hub's time at our `nowMs`; null while unknown. */
  nowMs(nowMs: number): number | null {
    return this.#offsetMs === null ? null : nowMs + this.#best(this.#offsetMs);
  }

  #best(offset: number): number {
    return Math.max(offset, this.#offsetMs ?? offset, this.#beforeMs ?? offset);
  }
}
