/** The law of positions: whatever happens to updates, the table holds what the hub held. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { QuoteFields } from "../src/fields.js";
import type { QuoteUpdate, Subscription } from "../src/messages.js";
import { changePercent, rupees } from "../src/quote.js";
import { QuoteTable } from "../src/quote_table.js";

const CODES = [1, 2, 3];
const NAMES = ["lastPaise", "volume", "bidPaise", "askPaise"] as const;
type State = Pick<QuoteFields, (typeof NAMES)[number]>;
const BEGIN: State = { lastPaise: 0, volume: 0, bidPaise: 0, askPaise: 0 };

function item(code: number): Subscription {
  return { symbol: `S${code}`, code, isin: null, mode: "quote", fields: null, maxHz: null, every: false };
}

function aTable(...codes: number[]): QuoteTable {
  const table = new QuoteTable();
  table.keep(codes.map(item));
  for (const code of codes) image(table, code, 0, BEGIN);
  return table;
}

function image(table: QuoteTable, code: number, sequence: number, fields: State): void {
  table.image({ code, epoch: 1, sequence, changedAtMs: 1, quality: "live", fields });
}

function held(table: QuoteTable, code = 1): State {
  const quote = table.quote(code, true);
  assert.ok(quote);
  return { lastPaise: quote.lastPaise, volume: quote.volume, bidPaise: quote.bidPaise, askPaise: quote.askPaise };
}

const change = fc
  .record(Object.fromEntries(NAMES.map((name) => [name, fc.option(fc.integer({ min: 1, max: 9 }))])), { requiredKeys: [] })
  .map((fields) => fields as Partial<State>);

/** All states of one quote, and honest updates between them: split, merged, repeated, shuffled. */
const histories = fc
  .record({
    deltas: fc.array(change, { minLength: 1, maxLength: 8 }),
    spans: fc.array(fc.tuple(fc.nat(7), fc.integer({ min: 1, max: 8 })), { maxLength: 12 }),
    at: fc.nat(8),
  })
  .map(({ deltas, spans, at }) => {
    const states = deltas.reduce<State[]>((found, delta) => [...found, { ...(found.at(-1) ?? BEGIN), ...delta }], [BEGIN]);
    const updates = spans.map(([start, length]): QuoteUpdate => {
      const from = start % deltas.length;
      const to = Math.min(from + length, deltas.length);
      return { code: 1, from, to, fields: Object.assign({}, ...deltas.slice(from, to)) as Partial<State> };
    });
    return { states, updates, at: Math.min(at, deltas.length) };
  });

test("however updates are merged, repeated and reordered, the quote is one that the hub held", () => {
  fc.assert(
    fc.property(histories, ({ states, updates }) => {
      const table = aTable(1);
      let furthest = 0;
      for (const update of updates) {
        const before = table.sequenceOf(1);
        const { outcome } = table.update(update, 2);
        const now = table.sequenceOf(1);
        furthest = Math.max(furthest, update.to);

        assert.deepEqual(held(table), states[now]);
        assert.ok(now >= before);
        assert.equal(outcome === "applied", now > before);
        assert.equal(table.quote(1, true)?.quality, furthest > now ? "stale" : "live");
      }
    }),
  );
});

test("after an image the updates behind it apply as if nothing had been missed", () => {
  fc.assert(
    fc.property(histories, ({ states, updates, at }) => {
      const table = aTable(1);
      for (const update of updates) table.update(update, 2);
      image(table, 1, at, states[at] ?? BEGIN);
      assert.equal(table.quote(1, true)?.quality, "live");
      for (const update of [...updates].sort((one, other) => one.to - other.to)) {
        table.update(update, 2);
        assert.deepEqual(held(table), states[table.sequenceOf(1)]);
      }
    }),
  );
});

test("a hole in one scrip makes that one stale, and changes no value of any", () => {
  fc.assert(
    fc.property(fc.constantFrom(...CODES), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (code, from, span) => {
      const table = aTable(...CODES);
      const update = { code, from, to: from + span, fields: { lastPaise: 77 } };
      const [first, again] = [table.update(update, 2), table.update(update, 2)];

      assert.deepEqual([first.outcome, again.outcome], ["gap", "gap"]);
      assert.deepEqual([first.isNewGap, again.isNewGap], [true, false]);
      for (const other of CODES) {
        assert.deepEqual(held(table, other), BEGIN);
        assert.equal(table.quote(other, true)?.quality, other === code ? "stale" : "live");
      }
    }),
  );
});

test("the same object is shown as long as nothing changes", () => {
  const table = aTable(1, 2);
  const before = table.quote(1, true);
  table.update({ code: 2, from: 0, to: 1, fields: { volume: 5 } }, 2);
  assert.equal(table.quote(1, true), before);
  assert.notEqual(table.quote(1, false), before);
  table.update({ code: 1, from: 0, to: 1, fields: { volume: 5 } }, 2);
  assert.equal(table.quote(1, true)?.volume, 5);
  assert.equal(before?.volume, 0);
});

test("changed fields are those whose values are new", () => {
  const table = aTable(1);
  const fields = { lastPaise: 5, volume: 0, bidPaise: null };
  assert.deepEqual(table.update({ code: 1, from: 0, to: 1, fields }, 2).changed, ["lastPaise", "bidPaise"]);
  const bids = [[5, 1]] as const;
  table.update({ code: 1, from: 1, to: 2, fields: { bids } }, 2);
  assert.deepEqual(table.update({ code: 1, from: 2, to: 3, fields: { bids: [[5, 1]] } }, 2).changed, []);
});

test("percent is rounded half up, away from nothing but the exact half", () => {
  const quote = (lastPaise: number, previousClosePaise: number) =>
    changePercent({ ...(aTable(1).quote(1, true) as QuoteFields), lastPaise, previousClosePaise });
  assert.equal(quote(290_135, 289_000), 0.39);
  assert.equal(quote(20_001, 20_000), 0.01); // 0.005
  assert.equal(quote(19_999, 20_000), -0.01);
  assert.equal(quote(5, 0), null);
  assert.equal(rupees(-5), "-0.05");
  assert.equal(rupees(null), null);
});
