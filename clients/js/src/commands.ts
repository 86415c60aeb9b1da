/** What a client may ask of the hub, as types and as the members that are sent. Pure. */

import type { HeldAt } from "./digest.js";
import type { Mode } from "./fields.js";
import type { CommandId, Limits, Subscription } from "./messages.js";

const BYTES_AROUND = 256;
const BYTES_A_NAME = 48; // 40 characters at most, quotes and a comma
const BYTES_A_POSITION = 48; // a code, an epoch in ms, a sequence, brackets and commas
const NAMES_MAX = 200;
const POSITIONS_MAX = 1_000;

/**
 * What to send of a scrip: a mode (default: quote) or fields by name; at most `maxHz` updates a second of each,
 * or with `every` each change by itself.
 */
export interface Want {
  readonly mode?: Mode;
  readonly fields?: readonly string[];
  readonly maxHz?: number;
  readonly every?: boolean;
}

/** The command that an answer belongs to. isRepeat: only to get an image again. */
export interface Asked {
  readonly op: string;
  readonly symbols?: readonly string[];
  readonly want?: Want;
  readonly positions?: readonly HeldAt[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly isRepeat?: boolean;
}

/** A want that makes sense; throws TypeError for one that does not. */
export function sensible(want: Want): Want {
  if (want.mode && want.fields) throw new TypeError("name a mode or fields, not both");
  if (want.every && want.maxHz !== undefined) throw new TypeError("every change, or at most maxHz of them: not both");
  return want.mode || want.fields ? want : { ...want, mode: "quote" };
}

/** What the hub sends of a scrip of the set. */
export function granted(item: Subscription): Want {
  return {
    ...(item.mode && { mode: item.mode }),
    ...(item.fields && { fields: item.fields }),
    ...(item.maxHz !== null && { maxHz: item.maxHz }),
    ...(item.every && { every: true }),
  };
}

/** Wants with equal keys are equal. */
export function wantKey({ mode, fields, maxHz, every }: Want): string {
  return JSON.stringify([mode ?? null, fields ?? null, maxHz ?? null, every ?? false]);
}

/** The members that are sent. */
export function membersOf(asked: Asked, id: CommandId): Record<string, unknown> {
  const { mode, fields, maxHz, every } = asked.want ?? {};
  return {
    op: asked.op,
    id,
    ...(asked.symbols && { symbols: asked.symbols }),
    ...(asked.positions && { positions: asked.positions }),
    ...(mode && { mode }),
    ...(fields && { fields }),
    ...(maxHz !== undefined && { max_hz: maxHz }),
    ...(every && { every }),
    ...asked.options,
  };
}

/** Names as they are sent: in capitals, each once, in order. */
export function normal(symbols: readonly (string | number)[]): string[] {
  return [...new Set(symbols.map((symbol) => String(symbol).trim().toUpperCase()))];
}

/** Whether a name stands for several scrips: `index:SENSEX`, `group:A`, `*`. */
export function namesMany(symbol: string): boolean {
  return symbol === "*" || symbol.includes(":");
}

/** Names in portions that one message may carry. */
export function nameBatches(names: readonly string[], limits: Limits | null): string[][] {
  return portions(names, limits, BYTES_A_NAME, NAMES_MAX);
}

/** Positions in portions that one message may carry. */
export function positionBatches(positions: readonly HeldAt[], limits: Limits | null): HeldAt[][] {
  return portions(positions, limits, BYTES_A_POSITION, POSITIONS_MAX);
}

function portions<T>(all: readonly T[], limits: Limits | null, bytesEach: number, most: number): T[][] {
  const room = (limits?.messageBytes ?? BYTES_AROUND + NAMES_MAX * bytesEach) - BYTES_AROUND;
  const size = Math.min(most, Math.max(1, Math.floor(room / bytesEach)));
  const found: T[][] = [];
  for (let start = 0; start < all.length; start += size) found.push(all.slice(start, start + size));
  return found;
}
