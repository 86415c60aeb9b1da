/**
 * The three frequent messages, in both encodings: image, update, quality.
 *
 * Fields of a newer hub (unknown names and numbers) are passed over, and so are unknown sources and
 * conditions. An unknown quality is malformed: a price that cannot be judged must not be shown.
 */

import {
  count,
  integer,
  listOf,
  malformed,
  memberOf,
  members,
  paiseOfRupees,
  row,
  text,
  type Members,
  type Read,
} from "./checked.js";
import { CONDITIONS, FIELDS, QUALITIES, SOURCES, type Field, type Kind, type Level, type Quality, type QuoteFields } from "./fields.js";
import type { Image, Message, Qualities, QuoteImage, QuoteUpdate, Update } from "./messages.js";

type Values = Readonly<Record<Kind, Read<unknown>>>;

function levels(price: Read<number>): Read<readonly Level[]> {
  return listOf((value) => {
    const [paise, quantity] = row(value, 2);
    return [price(paise), count(quantity)] as const;
  });
}

function named(names: readonly string[]): Read<string | null> {
  return (value) => {
    const name = text(value);
    return names.includes(name) ? name : null;
  };
}

function numbered(names: readonly string[]): Read<string | null> {
  return (value) => names[count(value)] ?? null;
}

const OF_JSON: Values = {
  paise: paiseOfRupees,
  count: integer,
  levels: levels(paiseOfRupees),
  source: named(SOURCES),
  condition: named(CONDITIONS),
};

const OF_MSGPACK: Values = {
  paise: integer,
  count: integer,
  levels: levels(integer),
  source: numbered(SOURCES),
  condition: numbered(CONDITIONS),
};

const BY_NAME: ReadonlyMap<string, Field> = new Map(FIELDS.map((field) => [field.publicName, field]));
const BY_NUMBER: ReadonlyMap<string, Field> = new Map(FIELDS.map((field, n) => [String(n), field]));

function fieldsOf(known: ReadonlyMap<string, Field>, values: Values, raw: Members): Partial<QuoteFields> {
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const field = known.get(key);
    if (field) found[field.name] = value === null ? null : values[field.kind](value);
  }
  return found as Partial<QuoteFields>;
}

const qualityNamed = memberOf(QUALITIES);

function qualityNumbered(value: unknown): Quality {
  return QUALITIES[count(value)] ?? malformed("no such quality");
}

// JSON: maps with names.

function imageOfMap(raw: Members): QuoteImage {
  return {
    code: count(raw["code"]),
    epoch: count(raw["epoch"]),
    sequence: count(raw["sequence"]),
    changedAtMs: count(raw["changed_at_ms"]),
    quality: qualityNamed(raw["quality"]),
    fields: fieldsOf(BY_NAME, OF_JSON, raw),
  };
}

function updateOfMap(raw: Members): QuoteUpdate {
  return {
    code: count(raw["code"]),
    from: count(raw["from"]),
    to: count(raw["to"]),
    fields: fieldsOf(BY_NAME, OF_JSON, raw),
  };
}

function qualityOfMap(raw: Members): { code: number; quality: Quality } {
  return { code: count(raw["code"]), quality: qualityNamed(raw["quality"]) };
}

/** The readers of JSON objects, by their `type`. */
export const FREQUENT: ReadonlyMap<string, (raw: Members) => Message> = new Map<string, (raw: Members) => Message>([
  ["image", (raw) => image(raw["sent_at_ms"], raw["received_at_ms"], listOf((q) => imageOfMap(members(q)))(raw["quotes"]), raw["published_at_ms"])],
  ["update", (raw) => update(raw["sent_at_ms"], raw["received_at_ms"], listOf((q) => updateOfMap(members(q)))(raw["quotes"]), raw["published_at_ms"])],
  ["quality", (raw) => qualities(raw["sent_at_ms"], listOf((q) => qualityOfMap(members(q)))(raw["quotes"]))],
]);

function image(sent: unknown, received: unknown, quotes: readonly QuoteImage[], published: unknown): Image {
  return { type: "image", sentAtMs: count(sent), receivedAtMs: count(received), publishedAtMs: timeOrNull(published), quotes };
}

function update(sent: unknown, received: unknown, quotes: readonly QuoteUpdate[], published: unknown): Update {
  return { type: "update", sentAtMs: count(sent), receivedAtMs: count(received), publishedAtMs: timeOrNull(published), quotes };
}

function timeOrNull(value: unknown): number | null {
  return value === undefined || value === null ? null : count(value);
}

function qualities(sent: unknown, quotes: Qualities["quotes"]): Qualities {
  return { type: "quality", sentAtMs: count(sent), quotes };
}

// MessagePack: arrays with numbers.

function imageOfRow(value: unknown): QuoteImage {
  const [code, epoch, sequence, changedAtMs, quality, raw] = row(value, 6);
  return {
    code: count(code),
    epoch: count(epoch),
    sequence: count(sequence),
    changedAtMs: count(changedAtMs),
    quality: qualityNumbered(quality),
    fields: fieldsOf(BY_NUMBER, OF_MSGPACK, members(raw)),
  };
}

function updateOfRow(value: unknown): QuoteUpdate {
  const [code, from, to, raw] = row(value, 4);
  const fields = fieldsOf(BY_NUMBER, OF_MSGPACK, members(raw));
  return { code: count(code), from: count(from), to: count(to), fields };
}

function qualityOfRow(value: unknown): { code: number; quality: Quality } {
  const [code, quality] = row(value, 2);
  return { code: count(code), quality: qualityNumbered(quality) };
}

type OfArray = (rest: readonly unknown[]) => Message;

/** The readers of arrays, by the number in front. */
export const FREQUENT_ARRAYS: ReadonlyMap<number, OfArray> = new Map<number, OfArray>([
  [1, (rest) => image(rest[0], rest[1], listOf(imageOfRow)(rest[2]), rest[3])],
  [2, (rest) => update(rest[0], rest[1], listOf(updateOfRow)(rest[2]), rest[3])],
  [3, (rest) => qualities(rest[0], listOf(qualityOfRow)(rest[1]))],
]);
