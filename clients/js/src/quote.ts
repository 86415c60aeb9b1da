/** A scrip's quote as a program sees it, and the arithmetic of money: integers only. */

import type { Quality, QuoteFields } from "./fields.js";

/**
 * What is known of one scrip. The same object as long as nothing changes.
 * quality: already takes silence, gaps and a lost connection into account.
 */
export interface Quote extends QuoteFields {
  readonly symbol: string;
  readonly code: number;
  readonly quality: Quality;
  readonly epoch: number;
  readonly sequence: number;
  readonly changedAtMs: number;
}

/** Paise as rupees with exactly two decimals, as text: 290135 is "2901.35". */
export function rupees(paise: number): string;
export function rupees(paise: number | null): string | null;
export function rupees(paise: number | null): string | null {
  if (paise === null) return null;
  const digits = String(Math.abs(paise)).padStart(3, "0");
  return `${paise < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** The last price less the previous close, in paise. */
export function changePaise(quote: QuoteFields): number | null {
  const { lastPaise, previousClosePaise } = quote;
  return lastPaise === null || previousClosePaise === null ? null : lastPaise - previousClosePaise;
}

/** The change in percent of the previous close, rounded half up to two decimals. */
export function changePercent(quote: QuoteFields): number | null {
  const change = changePaise(quote);
  const close = quote.previousClosePaise;
  if (change === null || !close) return null;
  const scaled = Math.abs(change) * 10_000;
  let hundredths = Math.floor(scaled / close);
  if (2 * (scaled - hundredths * close) >= close) hundredths += 1;
  return (change < 0 ? -hundredths : hundredths) / 100;
}
