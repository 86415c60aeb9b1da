/**
 * The fields of a quote: wire numbers, names, units, and the enumerations of protocol version 1.
 * This file alone knows the wire numbers (docs/protocol.md, section 2).
 */

export type Mode = "ltp" | "quote" | "full";

/** How far a price may be trusted; the place of a name is its wire number. */
export const QUALITIES = ["live", "delayed", "stale", "closed", "halted", "suspect"] as const;
export type Quality = (typeof QUALITIES)[number];

export const SOURCES = ["none", "bse", "yahoo", "broker", "cache", "replay"] as const;
export const CONDITIONS = ["good", "delayed", "suspect", "halted"] as const;

/** One level of the order book: paise and shares. */
export type Level = readonly [pricePaise: number, quantity: number];

/** The values of a quote: amounts in integer paise, times in epoch ms. null: unknown, or not asked for. */
export interface QuoteFields {
  readonly lastPaise: number | null;
  readonly openPaise: number | null;
  readonly highPaise: number | null;
  readonly lowPaise: number | null;
  readonly previousClosePaise: number | null;
  readonly volume: number | null;
  readonly turnoverPaise: number | null;
  readonly trades: number | null;
  readonly averagePricePaise: number | null;
  readonly bidPaise: number | null;
  readonly bidQuantity: number | null;
  readonly askPaise: number | null;
  readonly askQuantity: number | null;
  readonly bids: readonly Level[] | null;
  readonly asks: readonly Level[] | null;
  readonly lowerCircuitPaise: number | null;
  readonly upperCircuitPaise: number | null;
  readonly low52WeekPaise: number | null;
  readonly high52WeekPaise: number | null;
  readonly exchangeTimeMs: number | null;
  readonly source: (typeof SOURCES)[number] | null;
  readonly condition: (typeof CONDITIONS)[number] | null;
}

export type FieldName = keyof QuoteFields;
export type Kind = "paise" | "count" | "levels" | "source" | "condition";

export interface Field {
  readonly name: FieldName;
  readonly publicName: string;
  readonly kind: Kind;
}

/** By wire number: our name, the name in JSON, and how the value travels. */
export const FIELDS: readonly Field[] = (
  [
    ["lastPaise", "last", "paise"],
    ["openPaise", "open", "paise"],
    ["highPaise", "high", "paise"],
    ["lowPaise", "low", "paise"],
    ["previousClosePaise", "previous_close", "paise"],
    ["volume", "volume", "count"],
    ["turnoverPaise", "turnover", "paise"],
    ["trades", "trades", "count"],
    ["averagePricePaise", "average_price", "paise"],
    ["bidPaise", "bid", "paise"],
    ["bidQuantity", "bid_quantity", "count"],
    ["askPaise", "ask", "paise"],
    ["askQuantity", "ask_quantity", "count"],
    ["bids", "bids", "levels"],
    ["asks", "asks", "levels"],
    ["lowerCircuitPaise", "lower_circuit", "paise"],
    ["upperCircuitPaise", "upper_circuit", "paise"],
    ["low52WeekPaise", "low_52_week", "paise"],
    ["high52WeekPaise", "high_52_week", "paise"],
    ["exchangeTimeMs", "exchange_time_ms", "count"],
    ["source", "source", "source"],
    ["condition", "condition", "condition"],
  ] as const
).map(([name, publicName, kind]) => ({ name, publicName, kind }));

export const NOTHING_KNOWN: QuoteFields = Object.freeze(
  Object.fromEntries(FIELDS.map(({ name }) => [name, null])),
) as unknown as QuoteFields;
