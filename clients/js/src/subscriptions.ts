/**
 * The set of this connection as the hub tells it, and what to ask for again after a reconnect.
 *
 * Pure. Names that were never answered are kept as given; answered ones are kept by scrip code. What only a client
 * id brought in belongs to the hub, and is not asked for again.
 */

import { granted, namesMany, wantKey, type Asked, type Want } from "./commands.js";
import type { HeldAt } from "./digest.js";
import type { Resumed, Subscribed, Subscription, Unsubscribed } from "./messages.js";

/** What to ask for with one want: scrips that go on from a position, and names that begin anew. */
export interface Restore {
  readonly want: Want;
  readonly positions: HeldAt[];
  readonly names: string[];
}

export class Subscriptions {
  /** The hub's full set, by code. */
  held: ReadonlyMap<number, Subscription> = new Map();
  /** Codes that a new connection is yet to have again. */
  restoring: ReadonlySet<number> = new Set();
  readonly #own = new Map<number, Want>();
  readonly #unanswered = new Map<string, Want>();
  #codes = new Map<string, number>();

  /** Names to ask for on the first connection. */
  begin(names: readonly string[], want: Want): void {
    for (const name of names) this.#unanswered.set(name, want);
  }

  /** What this program asked for. */
  get own(): Iterable<number> {
    return this.#own.keys();
  }

  /** The hub's set ends with its connection; names stay known for looking up. */
  disconnected(): void {
    this.held = new Map();
    this.restoring = new Set(this.#own.keys());
  }

  /** Take the full resulting set. */
  receive(answer: Subscribed | Unsubscribed | Resumed, asked: Asked | undefined): void {
    const now = new Map(answer.symbols.map((item) => [item.code, item]));
    if (asked?.op === "subscribe" && !asked.isRepeat) this.#subscribed(asked, now);
    else if (asked?.op === "unsubscribe") this.#unsubscribed(asked, now);
    else if (asked?.op === "resume") this.#resumed(asked, now);
    this.restoring = new Set([...this.restoring].filter((code) => !now.has(code)));
    this.#codes = new Map([...this.#codes].filter(([, code]) => this.restoring.has(code)));
    for (const [code, item] of now) {
      this.#codes.set(item.symbol.toUpperCase(), code);
      this.#codes.set(String(code), code);
    }
    this.held = now;
  }

  /** All was asked for: what is not in the set now is looked up no more. */
  restored(): void {
    this.restoring = new Set();
    this.#codes = new Map([...this.#codes].filter(([, code]) => this.held.has(code)));
  }

  /** The code of a scrip of the set, by symbol or code in any case. */
  codeOf(name: string | number): number | undefined {
    return this.#codes.get(String(name).trim().toUpperCase());
  }

  /** What to ask for on a new connection, by want, where `positions` are what we hold. */
  restore(positions: Iterable<HeldAt>): Restore[] {
    const held = new Map([...positions].map((position) => [position[0], position]));
    const found = new Map<string, Restore>();
    const part = (want: Want): Restore => {
      const key = wantKey(want);
      const known = found.get(key) ?? { want, positions: [], names: [] };
      found.set(key, known);
      return known;
    };
    for (const [code, want] of this.#own) {
      const position = held.get(code);
      if (position) part(want).positions.push(position);
      else part(want).names.push(String(code));
    }
    for (const [name, want] of this.#unanswered) part(want).names.push(name);
    return [...found.values()];
  }

  /** Codes of the set, by what the hub sends of them: to ask for their images again. */
  byWant(codes: readonly number[]): Restore[] {
    const found = new Map<string, Restore>();
    for (const code of codes) {
      const item = this.held.get(code);
      if (!item) continue;
      const want = granted(item);
      const key = wantKey(want);
      const known = found.get(key) ?? { want, positions: [], names: [] };
      known.names.push(String(code));
      found.set(key, known);
    }
    return [...found.values()];
  }

  #subscribed(asked: Asked, now: ReadonlyMap<number, Subscription>): void {
    const named = new Set(asked.symbols);
    const isWide = [...named].some(namesMany);
    for (const [code, item] of now) {
      const before = this.held.get(code);
      const isNew = !before && !this.#own.has(code);
      const isMeant = named.has(item.symbol.toUpperCase()) || named.has(String(code)) || named.has(item.isin ?? "");
      const isSelected = isWide && (!before || !sameWant(granted(before), granted(item)) || fits(item, asked.want));
      if (isNew || isMeant || isSelected) this.#own.set(code, granted(item));
    }
    for (const name of named) this.#unanswered.delete(name);
  }

  #resumed(asked: Asked, now: ReadonlyMap<number, Subscription>): void {
    for (const [code] of asked.positions ?? []) if (!now.has(code)) this.#own.delete(code);
  }

  #unsubscribed(asked: Asked, now: ReadonlyMap<number, Subscription>): void {
    for (const name of asked.symbols ?? []) this.#unanswered.delete(name);
    for (const code of this.held.keys()) if (!now.has(code)) this.#own.delete(code);
  }
}

function sameWant(one: Want, other: Want): boolean {
  return wantKey(one) === wantKey(other);
}

/** Whether the hub sends what was asked, but for the rate that it granted. */
function fits(item: Subscription, want: Want | undefined): boolean {
  const { maxHz: _granted, ...given } = granted(item);
  const { maxHz: _asked, ...wanted } = want ?? {};
  return want !== undefined && sameWant(given, wanted);
}
