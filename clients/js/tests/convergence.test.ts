/**
 * A whole stream against a simulated hub and network: whatever is dropped, repeated, reordered, merged or cut, what is
 * shown was held by the hub, never goes back, and converges.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digest } from "../src/digest.js";
import { Follower } from "../src/follower.js";
import type { Message, QuoteUpdate, Subscription, Welcome } from "../src/messages.js";
import type { Asked } from "../src/commands.js";

const CODES = [1, 2, 3] as const;
const NAMES = ["lastPaise", "volume"] as const;
const SERVER_MS = 1_795_334_400_100;
const LIMITS = { symbols: 9, messageBytes: 65_536, commandsPerS: null, connections: null, allSymbols: null };
const WELCOME: Welcome = {
  type: "welcome",
  protocol: 1,
  session: "s",
  serverTimeMs: SERVER_MS,
  heartbeatIntervalMs: 1_000,
  limits: LIMITS,
  identity: null,
};

interface State {
  lastPaise: number;
  volume: number;
}

const fate = fc.constantFrom("arrives", "arrives", "late", "lost", "kept");
const code = fc.constantFrom(...CODES);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("publish" as const), code, both: fc.boolean(), fate }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("deliver" as const), at: fc.nat(9), again: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("beat" as const), ms: fc.nat(3_500) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("answer" as const), isLost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reconnect" as const), missed: fc.array(code, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("takeover" as const) }) },
);

class Simulation {
  readonly follower = new Follower();
  readonly items: Subscription[];
  wire: Message[] = [];
  wanted: number[] = [];
  nowMs = 0;
  epoch = 1;
  #value = 0;
  #history = new Map<number, State[]>();
  #sent = new Map<number, number>();
  #seen = new Map<number, [number, number]>();

  constructor(readonly every: boolean) {
    this.items = CODES.map((c) => ({ symbol: `S${c}`, code: c, isin: null, mode: "quote", fields: null, maxHz: null, every }));
    for (const c of CODES) this.#history.set(c, [{ lastPaise: 0, volume: 0 }]);
    this.take(WELCOME);
    const asked: Asked = { op: "subscribe", symbols: this.items.map(({ symbol }) => symbol), want: { mode: "quote" } };
    this.take({ type: "subscribed", id: 1, symbols: this.items, rejected: [] }, asked);
    for (const c of CODES) this.image(c);
  }

  states(c: number): State[] {
    return this.#history.get(c) ?? [];
  }

  newest(c: number): number {
    return this.states(c).length - 1;
  }

  take(message: Message, asked?: Asked): void {
    this.wanted.push(...this.follower.receive(message, this.nowMs, asked));
  }

  change(c: number, both: boolean): void {
    const states = this.states(c);
    const before = states.at(-1) as State;
    states.push({ lastPaise: ++this.#value, volume: both ? ++this.#value : before.volume });
  }

  publish(c: number, both: boolean, how: string): void {
    this.change(c, both);
    if (how === "kept") return;
    let from = this.#sent.get(c) ?? 0;
    const newest = this.newest(c);
    this.#sent.set(c, newest);
    if (how === "lost") return;
    const steps = this.every ? Array.from({ length: newest - from }, (_, n) => from + n + 1) : [newest];
    for (const to of steps) {
      const update = this.update(c, from, to);
      from = to;
      if (how === "late") this.wire.push(update);
      else this.take(update);
    }
  }

  update(c: number, from: number, to: number): Message {
    const [old, now] = [this.states(c)[from] as State, this.states(c)[to] as State];
    const fields = Object.fromEntries(NAMES.filter((name) => old[name] !== now[name]).map((name) => [name, now[name]]));
    const row: QuoteUpdate = { code: c, from, to, fields };
    return { type: "update", sentAtMs: 1, receivedAtMs: 1, publishedAtMs: null, quotes: [row] };
  }

  image(c: number): void {
    const sequence = this.newest(c);
    this.#sent.set(c, sequence);
    const fields = this.states(c)[sequence] as State;
    const quotes = [{ code: c, epoch: this.epoch, sequence, changedAtMs: 1, quality: "live" as const, fields }];
    this.take({ type: "image", sentAtMs: 1, receivedAtMs: 1, publishedAtMs: null, quotes });
  }

  beat(proves: boolean): void {
    const session = { phase: "open", isOpen: true, reason: "", tradingDay: null, nextChangeAtMs: null };
    const feed = { state: "ok", source: "bse", ageMs: 1 };
    const proof = proves ? digest(CODES.map((c) => [c, this.epoch, this.newest(c)])) : null;
    const serverTimeMs = SERVER_MS + this.nowMs;
    this.take({ type: "heartbeat", serverTimeMs, liveForMs: 60_000, feed, session, conflated: 0, digest: proof });
  }

  answer(isLost: boolean): void {
    const wanted = this.wanted.splice(0);
    if (!isLost) for (const c of wanted) this.image(c);
  }

  takeover(): void {
    this.epoch += 1;
    this.wire = [];
    for (const c of CODES) {
      this.#history.set(c, this.states(c).slice(-1));
      this.image(c);
    }
  }

  reconnect(missed: readonly number[]): void {
    this.wire = [];
    this.wanted = [];
    this.follower.disconnected(this.nowMs);
    for (const c of missed) this.change(c, false);
    this.take(WELCOME);
    for (const { want, positions, names } of this.follower.restore()) {
      const resumed = positions.filter(([, epoch]) => epoch === this.epoch).map(([c]) => c);
      const reImaged = [...positions.map(([c]) => c).filter((c) => !resumed.includes(c)), ...names.map(Number)];
      this.take({ type: "resumed", id: 1, symbols: this.items, rejected: [], resumed, reImaged }, { op: "resume", want, positions });
      for (const [c, , held] of positions.filter(([c]) => resumed.includes(c))) {
        this.#sent.set(c, this.newest(c));
        if (held < this.newest(c)) this.take(this.update(c, held, this.newest(c)));
        this.take({ type: "quality", sentAtMs: 1, quotes: [{ code: c, quality: "live" }] });
      }
      for (const c of reImaged) this.image(c);
    }
    this.follower.restored(true);
  }

  /** Each quote is a state of the hub, at its position, and positions never run backwards. */
  checkLaws(): void {
    for (const c of CODES) {
      const quote = this.follower.quote(c, this.nowMs);
      assert.ok(quote);
      const [epoch, sequence] = this.#seen.get(c) ?? [0, 0];
      assert.ok(quote.epoch > epoch || (quote.epoch === epoch && quote.sequence >= sequence));
      this.#seen.set(c, [quote.epoch, quote.sequence]);
      if (quote.epoch !== this.epoch) continue;
      assert.deepEqual({ lastPaise: quote.lastPaise, volume: quote.volume }, this.states(c)[quote.sequence]);
    }
  }

  /** In the end everything arrives: the stream holds what the hub holds, and shows it live. */
  checkConverges(): void {
    this.wire = [];
    for (let round = 0; round < 5; round += 1) {
      this.nowMs += 3_000;
      this.beat(true);
      this.answer(false);
    }
    for (const c of CODES) {
      const quote = this.follower.quote(c, this.nowMs);
      assert.deepEqual([quote?.epoch, quote?.sequence, quote?.quality], [this.epoch, this.newest(c), "live"]);
    }
  }
}

test("whatever happens on the way, the stream tells no untruth and converges", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(action, { maxLength: 40, size: "max" }), (every, actions) => {
      const simulation = new Simulation(every);
      for (const act of actions) {
        if (act.do === "publish") simulation.publish(act.code, act.both, act.fate);
        else if (act.do === "answer") simulation.answer(act.isLost);
        else if (act.do === "reconnect") simulation.reconnect(act.missed);
        else if (act.do === "takeover") simulation.takeover();
        else if (act.do === "beat") {
          simulation.nowMs += act.ms;
          simulation.beat(false);
        } else if (simulation.wire.length) {
          const at = act.at % simulation.wire.length;
          const message = simulation.wire[at] as Message;
          if (!act.again) simulation.wire.splice(at, 1);
          simulation.take(message);
        }
        simulation.checkLaws();
      }
      simulation.checkConverges();
    }),
    { numRuns: 300 },
  );
});
