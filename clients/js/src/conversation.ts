/** What a stream says by itself on one connection: its token, its pace, its set again, images that are missing. */

import { BACKOFF, waitMs, type Backoff } from "./backoff.js";
import { failure, type Ending } from "./close_codes.js";
import { nameBatches, positionBatches, type Asked, type Want } from "./commands.js";
import { CommandRefused } from "./errors.js";
import type { Follower } from "./follower.js";
import { LinkLost, type Link } from "./link.js";
import type { Timing } from "./timing.js";

/** A token or ticket, or what gives a fresh one each time. */
export type Credential = string | (() => string | Promise<string>);

const ASK_LATER = new Set(["not_ready", "too_many_commands", "store_unavailable", "rate_limited"]);
const REFRESH_ATTEMPTS = 4;

interface Pace {
  readonly heartbeatIntervalMs?: number;
  readonly digest?: boolean;
  readonly replyTimeoutMs?: number;
  readonly backoff?: Backoff;
  readonly random?: () => number;
}

/** The credential to use now. */
export async function fresh(credential: Credential): Promise<string> {
  return typeof credential === "function" ? credential() : credential;
}

export class Conversation {
  readonly link: Link;
  readonly #follower: Follower;
  readonly #pace: Pace;
  readonly #timing: Timing;
  readonly #flush: () => void;

  constructor(link: Link, follower: Follower, pace: Pace, timing: Timing, flush: () => void) {
    this.link = link;
    this.#follower = follower;
    this.#pace = pace;
    this.#timing = timing;
    this.#flush = flush;
  }

  /** Say who we are, then ask for our pace and our set; how the connection has to end, if it has to. */
  async begin(token: Credential | undefined, maxHz: number | null, isReturn: boolean): Promise<Ending | null> {
    try {
      const ending = token === undefined ? null : await this.#authenticate(token);
      if (ending) return ending;
      this.#askHeartbeat();
      if (maxHz !== null) await this.#insist({ op: "rate", options: { max_hz: maxHz } });
      await this.#restore();
    } catch (problem) {
      if (problem instanceof LinkLost) return null; // its end is told already
      throw problem;
    }
    this.#follower.restored(isReturn);
    return null;
  }

  /** Subscribe again to what we can't trust; the answers come like all others. */
  askImages(codes: readonly number[]): void {
    for (const { want, names } of this.#follower.subscriptions.byWant(codes)) {
      for (const symbols of nameBatches(names, this.#follower.limits)) {
        this.link.tell({ op: "subscribe", symbols, want, isRepeat: true });
      }
    }
  }

  /** Show a fresh token on this connection, before the old one ends. */
  async refresh(token: Credential): Promise<void> {
    for (let attempt = 0; attempt < REFRESH_ATTEMPTS; attempt += 1) {
      try {
        await this.#insist({ op: "authenticate", options: { token: await fresh(token) } });
        return;
      } catch (problem) {
        if (problem instanceof LinkLost) return;
        this.#tellError("no_token", String(problem));
      }
      await this.pause(attempt + 2);
    }
  }

  /** Wait before something is tried again. */
  pause(failures: number): Promise<void> {
    const random = this.#pace.random ?? Math.random;
    const ms = waitMs(this.#pace.backoff ?? BACKOFF, failures, random());
    return new Promise((resolve) => this.#timing.after(ms, resolve));
  }

  async #authenticate(token: Credential): Promise<Ending | null> {
    try {
      await this.link.ask({ op: "authenticate", options: { token: await fresh(token) } });
      return null;
    } catch (problem) {
      if (problem instanceof LinkLost) throw problem;
      if (!(problem instanceof CommandRefused)) return failure(`no token: ${String(problem)}`);
      if (problem.reason === "unknown_op") return null; // a hub that knows no identities
      // Only who can bring another token may come back after a refusal.
      return { ...failure(problem.reason), isFinal: typeof token === "string" && !ASK_LATER.has(problem.reason) };
    }
  }

  #askHeartbeat(): void {
    const { heartbeatIntervalMs, digest = true } = this.#pace;
    const { welcome } = this.#follower;
    if (!welcome || (heartbeatIntervalMs === undefined && !digest)) return;
    const interval_ms = heartbeatIntervalMs ?? welcome.heartbeatIntervalMs;
    // Nobody waits: an older hub that refuses goes on with its own interval.
    this.link.tell({ op: "heartbeat", options: { interval_ms, digest } });
  }

  async #restore(): Promise<void> {
    for (const { want, positions, names } of this.#follower.restore()) {
      for (const portion of positionBatches(positions, this.#follower.limits)) {
        const isKnown = await this.#insist({ op: "resume", positions: portion, want }, true);
        if (!isKnown) await this.#subscribe(want, portion.map(([code]) => String(code)));
      }
      await this.#subscribe(want, names);
    }
  }

  async #subscribe(want: Want, names: readonly string[]): Promise<void> {
    for (const symbols of nameBatches(names, this.#follower.limits)) {
      await this.#insist({ op: "subscribe", symbols, want });
    }
  }

  /** Ask until answered. False: refused for good, which the listeners are told; or an older hub. */
  async #insist(asked: Asked, mayBeUnknown = false): Promise<boolean> {
    for (let failures = 0; ; failures += 1) {
      try {
        if (await this.#inTime(this.link.ask(asked))) return true;
      } catch (problem) {
        if (!(problem instanceof CommandRefused)) throw problem;
        if (mayBeUnknown && problem.reason === "unknown_op") return false;
        if (!ASK_LATER.has(problem.reason)) {
          this.#tellError(problem.reason, problem.message);
          return false;
        }
      }
      await this.pause(failures);
    }
  }

  async #inTime(answer: Promise<unknown>): Promise<boolean> {
    let cancel = (): void => undefined;
    const tooLate = new Promise<false>((resolve) => {
      cancel = this.#timing.after(this.#pace.replyTimeoutMs ?? 10_000, () => resolve(false));
    });
    try {
      return await Promise.race([answer.then(() => true), tooLate]);
    } finally {
      cancel();
      answer.catch(() => undefined);
    }
  }

  #tellError(reason: string, message: string): void {
    this.#follower.refused(reason, message);
    this.#flush();
  }
}
