/** How long live is live, the hub's clock, and the waits between attempts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BACKOFF, waitMs } from "../src/backoff.js";
import { nameBatches, normal, positionBatches, sensible } from "../src/commands.js";
import { Liveness } from "../src/liveness.js";
import { ServerClock } from "../src/server_clock.js";

const ms = fc.integer({ min: 0, max: 9_000 });

test("whatever comes when, live ends at the last permission and at the end of a silence", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: -100, max: 9_000 }))), (beats) => {
      const liveness = new Liveness();
      let now = 0;
      liveness.connected(1_000, now);
      for (const [wait, liveFor] of beats) {
        now += wait;
        liveness.heard(now);
        liveness.beat(liveFor, now);
        assert.equal(liveness.isLive(now), liveFor > 0);
        assert.ok(!liveness.isLive(now + Math.min(liveFor, 3_000)));
      }
    }),
  );
});

test("between now and the next check neither answer changes; at the check one does", () => {
  fc.assert(
    fc.property(ms, ms, fc.integer({ min: 500, max: 5_000 }), (liveFor, wait, interval) => {
      const liveness = new Liveness();
      liveness.connected(interval, 0);
      liveness.beat(liveFor, 0);
      const both = (at: number) => [liveness.isLive(at), liveness.isLost(at)];
      const now = Math.min(wait, 2_999);
      const check = liveness.nextCheckMs(now);
      assert.deepEqual(both(check - 0.5), both(now));
      assert.notDeepEqual(both(check), both(now));
    }),
  );
});

test("a message that took longer than the quickest is late by the difference", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.array(fc.nat(5_000), { minLength: 1, maxLength: 20 }), (offset, delays) => {
      fc.pre(offset < 2 ** 50);
      const clock = new ServerClock();
      delays.forEach((delay, n) => {
        const late = clock.observe(offset + n * 1_000, n * 1_000 + delay);
        assert.equal(late, delay - Math.min(...delays.slice(0, n + 1)));
      });
      const now = delays.length * 1_000;
      assert.equal(clock.nowMs(now), offset + now - Math.min(...delays));
    }),
  );
});

test("waits stay within the limits, whole range used, doubling from a quarter of a second", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, chance) => {
      assert.equal(waitMs(BACKOFF, failures, chance), chance * Math.min(30_000, 250 * 2 ** Math.min(failures, 10)));
    }),
  );
});

test("batches keep order, lose nothing, and fit into the hub's messages", () => {
  fc.assert(
    fc.property(fc.nat(2_500), fc.integer({ min: 1_000, max: 100_000 }), (length, messageBytes) => {
      const limits = { symbols: 1, messageBytes, commandsPerS: null, connections: null, allSymbols: null };
      const names = Array.from({ length }, (_, n) => `N${String(n).padStart(39, "0")}`);
      const positions = names.map((_, n) => [999_999, 2 ** 52, 2 ** 40 + n] as const);
      for (const [all, cut] of [
        [names, nameBatches(names, limits)],
        [positions, positionBatches(positions, limits)],
      ] as const) {
        assert.deepEqual(cut.flat(1), all);
        for (const part of cut) assert.ok(JSON.stringify(part).length + 150 < messageBytes);
      }
    }),
    { numRuns: 30 },
  );
});

test("names go out in capitals, once each; wants that contradict themselves are refused", () => {
  assert.deepEqual(normal([" tcs", "TCS", 500325]), ["TCS", "500325"]);
  assert.deepEqual(sensible({}), { mode: "quote" });
  assert.throws(() => sensible({ mode: "ltp", fields: ["last"] }), TypeError);
  assert.throws(() => sensible({ every: true, maxHz: 2 }), TypeError);
});
