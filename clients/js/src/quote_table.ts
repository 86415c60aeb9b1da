/**
 * The quotes of one stream and the law of positions: `from <= sequence < to`.
 *
 * Pure. Laws: the fields held are always those that the hub held at our `sequence`, whatever is split, merged,
 * repeated or late; a hole harms no other scrip; nothing unsound is ever called live.
 */

import { digest, type HeldAt } from "./digest.js";
import { FIELDS, NOTHING_KNOWN, type FieldName, type Quality, type QuoteFields } from "./fields.js";
import type { QuoteImage, QuoteUpdate, Subscription } from "./messages.js";
import type { Quote } from "./quote.js";

export type Outcome = "applied" | "passed_over" | "gap" | "ignored";

/** The outcome, the fields that have new values, and whether a hole is new. */
export interface Result {
  readonly outcome: Outcome;
  readonly changed: readonly FieldName[];
  readonly isNewGap: boolean;
}

const NO_CHANGE: readonly FieldName[] = [];
const IGNORED: Result = { outcome: "ignored", changed: NO_CHANGE, isNewGap: false };
const PASSED_OVER: Result = { outcome: "passed_over", changed: NO_CHANGE, isNewGap: false };

/**
 * What we hold of a scrip. `isSound` ends with the connection, until the hub goes on from it or images it;
 * `isVouched`: the hub has told the quality since; `isDoubted`: the check sums differ; `missingTo` above `sequence`
 * means that a hole is known up to there. `quote` is what was shown last.
 */
interface Held {
  epoch: number;
  sequence: number;
  changedAtMs: number;
  reported: Quality;
  shown: Quality;
  fields: QuoteFields;
  isSound: boolean;
  isVouched: boolean;
  isDoubted: boolean;
  missingTo: number;
  quote: Quote | null;
}

export class QuoteTable {
  readonly #symbols = new Map<number, string>();
  readonly #held = new Map<number, Held>();

  /** Hold exactly this set from now on, and what is held of `also`. */
  keep(set: Iterable<Subscription>, also: ReadonlySet<number> = new Set()): void {
    const known = [...this.#symbols].filter(([code]) => also.has(code) && this.#held.has(code));
    this.#symbols.clear();
    for (const [code, symbol] of known) this.#symbols.set(code, symbol);
    for (const item of set) this.#symbols.set(item.code, item.symbol);
    for (const code of this.#held.keys()) if (!this.#symbols.has(code)) this.#held.delete(code);
  }

  /** Whether the scrip is in the set. */
  knows(code: number): boolean {
    return this.#symbols.has(code);
  }

  get codes(): Iterable<number> {
    return this.#held.keys();
  }

  has(code: number): boolean {
    return this.#held.has(code);
  }

  symbolOf(code: number): string {
    return this.#symbols.get(code) ?? String(code);
  }

  sequenceOf(code: number): number {
    return this.#held.get(code)?.sequence ?? 0;
  }

  /** Nothing is followed any more: wait for the hub to go on, or for images. */
  disconnected(): void {
    for (const held of this.#held.values()) held.isSound = held.isVouched = false;
  }

  /** The hub goes on from what we hold of these scrips; those whose quality it has yet to tell. */
  resumed(codes: readonly number[]): number[] {
    return codes.filter((code) => {
      const held = this.#held.get(code);
      if (held) held.isSound = true;
      return held !== undefined && isUnsure(held);
    });
  }

  /** What we hold is not what the hub holds, nobody knows where: nothing is live until imaged. */
  doubt(): void {
    for (const held of this.#held.values()) held.isDoubted = true;
  }

  /** Where we stand in each of these scrips that we hold. */
  positions(codes: Iterable<number>): HeldAt[] {
    const found: HeldAt[] = [];
    for (const code of codes) {
      const held = this.#held.get(code);
      if (held) found.push([code, held.epoch, held.sequence]);
    }
    return found;
  }

  /** The check sum of these scrips. */
  digest(codes: Iterable<number>): number {
    return digest(
      [...codes].map((code): HeldAt => {
        const held = this.#held.get(code);
        return held ? [code, held.epoch, held.sequence] : [code, 0, 0];
      }),
    );
  }

  /** Replace all that is held of a scrip. */
  image(image: QuoteImage): Result {
    if (!this.#symbols.has(image.code)) return IGNORED;
    const before = this.#held.get(image.code);
    const fields = { ...NOTHING_KNOWN, ...image.fields };
    this.#held.set(image.code, {
      epoch: image.epoch,
      sequence: image.sequence,
      changedAtMs: image.changedAtMs,
      reported: image.quality,
      shown: before?.shown ?? image.quality,
      fields,
      isSound: true,
      isVouched: true,
      isDoubted: false,
      missingTo: 0,
      quote: null,
    });
    const changed = FIELDS.map((field) => field.name);
    return applied(before?.fields ?? NOTHING_KNOWN, fields, changed);
  }

  /** Apply an update, pass it over, or find that something is missing before it. */
  update(update: QuoteUpdate, changedAtMs: number): Result {
    const held = this.#held.get(update.code);
    if (!held?.isSound) return IGNORED;
    if (update.to <= held.sequence) return PASSED_OVER;
    if (update.from > held.sequence) {
      const isNewGap = held.missingTo <= held.sequence;
      held.missingTo = Math.max(held.missingTo, update.to);
      return { outcome: "gap", changed: NO_CHANGE, isNewGap };
    }
    const before = held.fields;
    held.fields = { ...before, ...update.fields };
    held.sequence = update.to;
    held.changedAtMs = Math.max(held.changedAtMs, changedAtMs);
    held.quote = null;
    return applied(before, held.fields, Object.keys(update.fields) as FieldName[]);
  }

  /** Take the hub's word on a quality; whether that leaves nothing unsure. */
  report(code: number, quality: Quality): boolean {
    const held = this.#held.get(code);
    if (!held) return false;
    held.reported = quality;
    held.isVouched ||= held.isSound;
    return !isUnsure(held);
  }

  /** Each of these scrips whose shown quality changes now, with the one shown before. */
  requalify(codes: Iterable<number>, isLive: boolean): { code: number; before: Quality }[] {
    const found: { code: number; before: Quality }[] = [];
    for (const code of codes) {
      const held = this.#held.get(code);
      if (!held) continue;
      const before = held.shown;
      held.shown = qualityOf(held, isLive);
      if (before !== held.shown) found.push({ code, before });
    }
    return found;
  }

  /** The quote to show; null while no image was received. The same object while nothing changes. */
  quote(code: number, isLive: boolean): Quote | null {
    const held = this.#held.get(code);
    if (!held) return null;
    const quality = qualityOf(held, isLive);
    if (held.quote?.quality !== quality) {
      held.quote = Object.freeze({
        ...held.fields,
        symbol: this.symbolOf(code),
        code,
        quality,
        epoch: held.epoch,
        sequence: held.sequence,
        changedAtMs: held.changedAtMs,
      });
    }
    return held.quote;
  }
}

function isUnsure(held: Held): boolean {
  return held.missingTo > held.sequence || held.isDoubted || (held.isSound && !held.isVouched);
}

function qualityOf(held: Held, isLive: boolean): Quality {
  if (held.reported !== "live") return held.reported;
  return isLive && held.isSound && !isUnsure(held) ? "live" : "stale";
}

function applied(old: QuoteFields, now: QuoteFields, names: readonly FieldName[]): Result {
  const changed = names.filter((name) => !isSame(old[name], now[name]));
  return { outcome: "applied", changed, isNewGap: false };
}

function isSame(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((item, n) => isSame(item, other[n]));
}
