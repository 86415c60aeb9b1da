/** The decoder: golden messages of both encodings, and nothing but MalformedMessage for the rest. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { decode as unpack } from "@msgpack/msgpack";
import fc from "fast-check";
import { paiseOfRupees } from "../src/checked.js";
import { endingOf } from "../src/close_codes.js";
import { digest } from "../src/digest.js";
import { MalformedMessage } from "../src/errors.js";
import { rupees } from "../src/quote.js";
import { decode, encode } from "../src/wire.js";
import { VECTORS, bytes, camel } from "./golden.js";

/** A meaning of the vectors as our types have it; members without a value left out. */
function ours(value: unknown, isFields = false): unknown {
  if (Array.isArray(value)) return value.map((item) => ours(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => isFields || (member !== null && !(name === "every" && !member)))
      .map(([name, member]) => [camel(name), ours(member, name === "fields" && !Array.isArray(member))]),
  );
}

for (const vector of VECTORS.messages) {
  test(`golden message: ${vector.name}`, () => {
    const ofJson = decode(vector.json);

    assert.deepEqual(decode(bytes(vector.msgpack)), ofJson);
    assert.deepEqual(ours(ofJson), ours(vector.meaning));
  });
}

test("golden commands are encoded to what they mean", () => {
  for (const { meaning, json, msgpack } of VECTORS.commands) {
    assert.deepEqual(JSON.parse(encode(meaning, "json") as string), JSON.parse(json));
    assert.deepEqual(unpack(encode(meaning, "msgpack") as Uint8Array), unpack(bytes(msgpack)));
  }
});

test("frames that are no messages are refused", () => {
  for (const [name, frame] of Object.entries(VECTORS.malformed_json)) {
    assert.throws(() => decode(frame), MalformedMessage, name);
  }
  for (const [name, frame] of Object.entries(VECTORS.malformed_msgpack)) {
    assert.throws(() => decode(bytes(frame)), MalformedMessage, name);
  }
});

test("types of a newer hub are passed over", () => {
  const { json, msgpack } = VECTORS.passed_over;
  for (const frame of Object.values(json)) assert.equal(decode(frame).type, "unknown");
  for (const frame of Object.values(msgpack)) assert.equal(decode(bytes(frame)).type, "unknown");
});

test("golden digests", () => {
  for (const { name, positions, digest: expected } of VECTORS.digests) {
    assert.equal(digest(positions.map(([code, epoch, sequence]) => [code, BigInt(epoch), sequence])), expected, name);
    if (positions.every(([, epoch]) => Number.isSafeInteger(Number(epoch)))) {
      assert.equal(digest(positions.map(([code, epoch, sequence]) => [code, Number(epoch), sequence])), expected, name);
    }
  }
});

test("the end of a connection invites to come back or not, as the table says", () => {
  for (const { code, reconnect, after_ms, goodbye } of VECTORS.closes) {
    const ending = endingOf(code, "", goodbye ? { reconnect: goodbye.reconnect, afterMs: goodbye.after_ms } : null);

    assert.equal(ending.isFinal, !reconnect, String(code));
    assert.equal(ending.afterMs, after_ms ?? null, String(code));
  }
});

test("every amount below 2^46 rupees survives as rupees with two decimals", () => {
  const most = 2 ** 46 * 100 - 1;
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.integer({ min: -most, max: most })), (paise) => {
      assert.equal(paiseOfRupees(JSON.parse(rupees(paise))), paise + 0);
    }),
    { numRuns: 10_000 },
  );
  for (const amount of [1.005, 2901.355, 1e30, 1e-30, 2 ** 46]) {
    assert.throws(() => paiseOfRupees(amount), MalformedMessage, String(amount));
  }
});

test("random and damaged frames give a message or MalformedMessage", () => {
  const frames = VECTORS.messages.flatMap(({ json, msgpack }) => [Buffer.from(json), Buffer.from(msgpack, "hex")]);
  const damaged = fc
    .record({ frame: fc.constantFrom(...frames), at: fc.nat(), cut: fc.nat(8), junk: fc.uint8Array({ maxLength: 6 }) })
    .map(({ frame, at, cut, junk }) => {
      const start = at % (frame.length + 1);
      return Buffer.concat([frame.subarray(0, start), junk, frame.subarray(start + cut)]);
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 40 })), (frame) => {
      for (const form of [new Uint8Array(frame), Buffer.from(frame).toString("latin1")]) {
        try {
          decode(form);
        } catch (problem) {
          assert.ok(problem instanceof MalformedMessage, String(problem));
        }
      }
    }),
    { numRuns: 1000 },
  );
});
