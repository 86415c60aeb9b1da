/** Message by message: after each step of each golden story exactly the promised quotes are shown. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asked } from "../src/commands.js";
import { Follower } from "../src/follower.js";
import type { FieldName } from "../src/fields.js";
import { decode } from "../src/wire.js";
import { VECTORS, bytes, camel, type Step } from "./golden.js";

function askedOf(step: Step): Asked | undefined {
  if (step.asked) return { op: step.asked.op, positions: step.asked.positions ?? [], want: { mode: "quote" } };
  // In the stories every set is one that the client asked for.
  return step.json?.includes('"type":"subscribed"') ? { op: "subscribe", symbols: ["RELIANCE"], want: { mode: "quote" } } : undefined;
}

function take(follower: Follower, step: Step, encoding: "json" | "msgpack"): number[] {
  if (step.lost) follower.disconnected(step.at_ms);
  const frame = step[encoding];
  if (frame) return follower.receive(decode(encoding === "json" ? frame : bytes(frame)), step.at_ms, askedOf(step));
  follower.check(step.at_ms);
  return [];
}

function check(follower: Follower, step: Step, again: number[]): void {
  if (step.ask_images) assert.deepEqual(again, step.ask_images);
  for (const [code, members] of Object.entries(step.then)) {
    const quote = follower.quote(Number(code), step.at_ms);
    for (const [name, value] of Object.entries(members)) assert.equal(quote?.[camel(name) as FieldName], value, name);
  }
  for (const code of step.absent ?? []) assert.equal(follower.quote(code, step.at_ms), null);
  if (step.positions) assert.deepEqual(follower.restore().flatMap((part) => part.positions), step.positions);
  if (step.mismatches !== undefined) assert.equal(follower.digestMismatches, step.mismatches);
  const events = follower.takeEvents();
  if (step.rows) {
    const rows = events.flatMap((event) => (event.type === "quotes" ? event.changes : []));
    assert.deepEqual(rows.map(({ quote }) => [quote.sequence, quote.lastPaise]), step.rows);
  }
  if (step.lost_changes) {
    const lost = events.flatMap((event) => (event.type === "lost" ? event.changes : []));
    assert.deepEqual(lost.map(({ code, from, to }) => [code, from, to]), step.lost_changes);
  }
}

for (const encoding of ["json", "msgpack"] as const) {
  for (const { name, steps } of VECTORS.stories) {
    test(`golden story (${encoding}): ${name}`, () => {
      const follower = new Follower();
      for (const step of steps) check(follower, step, take(follower, step, encoding));
    });
  }
}
