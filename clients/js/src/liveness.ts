/**
 * How long live prices may be shown as live, and when a silent connection counts as lost.
 *
 * Pure: times are milliseconds of a monotonic clock of the caller. Only a heartbeat renews the permission;
 * between the welcome and the first heartbeat it lasts as long as a silence may.
 */

const SILENCE_MS = 3_000;
const SILENT_HEARTBEATS = 3;
const LOST_AFTER_HEARTBEATS = 5;

export class Liveness {
  #silenceMs = SILENCE_MS;
  #lostAfterMs = SILENCE_MS;
  #heardMs = -Infinity;
  #liveUntilMs = -Infinity;

  /** A connection began with a welcome. */
  connected(heartbeatIntervalMs: number, nowMs: number): void {
    this.granted(heartbeatIntervalMs);
    this.#heardMs = nowMs;
    this.#liveUntilMs = nowMs + SILENCE_MS;
  }

  /** Heartbeats come so often from now on. */
  granted(intervalMs: number): void {
    this.#silenceMs = Math.max(SILENCE_MS, SILENT_HEARTBEATS * intervalMs);
    this.#lostAfterMs = Math.max(this.#silenceMs, LOST_AFTER_HEARTBEATS * intervalMs);
  }

  /** Nothing is heard any more. */
  disconnected(): void {
    this.#liveUntilMs = -Infinity;
  }

  /** Any message came in. After a silence it takes a heartbeat to be live again. */
  heard(nowMs: number): void {
    if (nowMs - this.#heardMs >= this.#silenceMs) this.#liveUntilMs = -Infinity;
    this.#heardMs = nowMs;
  }

  /** A heartbeat, heard before, allows to show live prices for so long. */
  beat(liveForMs: number, nowMs: number): void {
    this.#liveUntilMs = nowMs + liveForMs;
  }

  /** Whether scrips that the hub called live may be shown as live now. */
  isLive(nowMs: number): boolean {
    return nowMs < this.#staleAtMs();
  }

  /** Whether the connection was silent for so long that it must be replaced. */
  isLost(nowMs: number): boolean {
    return nowMs - this.#heardMs >= this.#lostAfterMs;
  }

  /** When one of the two answers above may change without a message. */
  nextCheckMs(nowMs: number): number {
    const staleAt = this.#staleAtMs();
    return nowMs < staleAt ? staleAt : this.#heardMs + this.#lostAfterMs;
  }

  #staleAtMs(): number {
    return Math.min(this.#liveUntilMs, this.#heardMs + this.#silenceMs);
  }
}
