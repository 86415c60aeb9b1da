/** The stream against a real little server: commands, events, coming back, tokens, ends. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { digest } from "../src/digest.js";
import { CommandRefused, CommandTimedOut, StreamClosed, StreamRefused, TakenOver, Unauthorized } from "../src/errors.js";
import { QuoteStream, type StreamOptions } from "../src/stream.js";
import { Events, ManualTiming, ScriptedHub, type HubSide, type Json } from "./scripted_hub.js";

const EPOCH = 1_795_330_000_000;
const SENT = 1_795_334_400_100;
const LIMITS = { symbols: 5_000, message_bytes: 65_536 };
const WELCOME = { type: "welcome", protocol: 1, session: "s-1", server_time_ms: SENT, heartbeat_interval_ms: 1_000, limits: LIMITS };
const RELIANCE = { symbol: "RELIANCE", code: 500325, isin: "INE002A01018", mode: "quote" };
const TCS = { symbol: "TCS", code: 532540, isin: "INE467B01029", mode: "quote" };
const TRADER = { subject: "key:abc", role: "trader", expires_at_ms: SENT + 60_000 };
const RIGHT = digest([[500325, EPOCH, 12]]);
const IS_LIVE = { type: "quality", sent_at_ms: SENT, quotes: [{ symbol: "RELIANCE", code: 500325, quality: "live" }] };

function set(type: string, ...symbols: Json[]): Json {
  return { type, symbols, rejected: [] };
}

function resumed(symbols: Json[], going: number[], again: number[] = []): Json {
  return { ...set("resumed", ...symbols), resumed: going, re_imaged: again };
}

function image(last: number, more: Json = {}): Json {
  const whole = { symbol: "RELIANCE", code: 500325, epoch: EPOCH, sequence: 12, changed_at_ms: SENT, quality: "live", last, ...more };
  return { type: "image", sent_at_ms: SENT, received_at_ms: SENT, quotes: [whole] };
}

function update(from: number, to: number, last: number): Json {
  return { type: "update", sent_at_ms: SENT, received_at_ms: SENT, quotes: [{ symbol: "RELIANCE", code: 500325, from, to, last }] };
}

function heartbeat(more: Json = {}): Json {
  const session = { phase: "open", is_open: true, reason: "", trading_day: "2026-11-23", next_change_at_ms: null };
  const feed = { state: "ok", source: "bse", age_ms: 400 };
  return { type: "heartbeat", server_time_ms: SENT, live_for_ms: 60_000, feed, session, conflated: 0, ...more };
}

interface Stage {
  hub: ScriptedHub;
  timing: ManualTiming;
  open: (options?: StreamOptions) => { stream: QuoteStream; events: Events };
}

/** A test with a hub and streams that come back at once; all is gone at its end. */
function scene(name: string, act: (stage: Stage) => Promise<void>, welcome: Json | null = WELCOME): void {
  test(name, { timeout: 20_000 }, async () => {
    const hub = await ScriptedHub.start(welcome);
    const timing = new ManualTiming();
    const streams: QuoteStream[] = [];
    const open = (options: StreamOptions = {}) => {
      const stream = new QuoteStream(hub.url, { timing, backoff: { firstMs: 0, maxMs: 0 }, encoding: "json", ...options });
      streams.push(stream);
      return { stream, events: new Events(stream) };
    };
    try {
      await act({ hub, timing, open });
    } finally {
      for (const stream of streams) stream.close();
      hub.stop();
    }
    for (let ticks = 0; timing.pending && ticks < 100; ticks += 1) await setImmediate(); // refusals spread by then
    assert.equal(timing.pending, 0, "timers are left");
  });
}

/** As far as a live quote of RELIANCE. */
async function begun({ hub, open }: Stage, options: StreamOptions = {}) {
  const { stream, events } = open({ symbols: ["reliance"], ...options });
  const side = await hub.connection();
  const command = await side.answer(set("subscribed", RELIANCE));
  side.send(heartbeat(), image(2901.35, { previous_close: 2890 }));
  await events.until("quotes");
  return { stream, events, side, command };
}

scene("a subscribed scrip arrives as an event and by name", async (stage) => {
  const { stream, events } = stage.open({ symbols: ["reliance"], clientId: "desk 1", session: "s", ticket: () => "t-1", compress: true });
  const side = await stage.hub.connection();
  assert.deepEqual(side.query, { client_id: "desk 1", session: "s", compress: "deflate", ticket: "t-1" });
  const command = await side.answer(set("subscribed", RELIANCE));
  assert.deepEqual(command, { op: "subscribe", id: 2, symbols: ["RELIANCE"], mode: "quote" });
  assert.deepEqual(side.heartbeats, [{ op: "heartbeat", id: 1, interval_ms: 1_000, digest: true }]);
  side.send(heartbeat(), image(2901.35));
  const [change] = (await events.until("quotes")).changes;

  assert.equal(change?.quote.lastPaise, 290_135);
  assert.deepEqual(change?.changedFields, ["lastPaise"]);
  assert.equal(stream.quote("Reliance"), stream.quote(500325));
  assert.deepEqual(stream.quotes(), [change?.quote]);
  assert.equal(stream.quote("TCS"), null);
  assert.equal(stream.heartbeat?.feed.state, "ok");
  assert.equal(stream.status, "open");
  assert.equal(change && stream.ageMs(change.quote), 0);
});

scene("MessagePack carries the same", async (stage) => {
  const { stream, events } = stage.open({ symbols: ["RELIANCE"], encoding: "msgpack", digest: false });
  const side = await stage.hub.connection();
  await side.answer(set("subscribed", RELIANCE));
  const { VECTORS, bytes } = await import("./golden.js");
  const golden = VECTORS.messages.find(({ name }) => name === "image in mode quote");
  side.frame(bytes(golden?.msgpack ?? ""));
  await events.until("quotes");
  assert.equal(stream.quote(500325)?.turnoverPaise, 358_190_000_001);
  assert.deepEqual(side.heartbeats, []);
});

scene("after a lost connection we go on from what we hold", async (stage) => {
  const { stream, events, side } = await begun(stage);
  side.close(4000);
  assert.equal((await events.until("disconnected")).code, 4000);
  assert.equal(stream.quote("RELIANCE")?.quality, "stale");

  const next = await stage.hub.connection();
  const command = await next.answer(resumed([RELIANCE], [500325]));
  assert.deepEqual(command["positions"], [[500325, EPOCH, 12]]);
  assert.deepEqual((await events.until("restored")).resumed, [500325]);
  next.send(heartbeat(), update(12, 15, 2), IS_LIVE);
  await events.until("quotes");
  await events.until("qualities");
  const quote = stream.quote("RELIANCE");
  assert.deepEqual([quote?.lastPaise, quote?.previousClosePaise, quote?.quality], [200, 289_000, "live"]);
});

scene("an older hub that cannot resume is asked for new images", async (stage) => {
  const { events, side } = await begun(stage);
  side.close(1001);
  const next = await stage.hub.connection();
  await next.answer({ type: "error", reason: "unknown_op", message: "no resume" });
  const command = await next.answer(set("subscribed", RELIANCE));
  assert.deepEqual([command["op"], command["symbols"]], ["subscribe", ["500325"]]);
  assert.deepEqual((await events.until("restored")).reImaged, [500325]);
});

scene("subscribe answers the full set and the rejections", async (stage) => {
  const { stream, side } = await begun(stage);
  const rejected = [{ symbol: "NOSUCH", reason: "unknown_symbol", message: "" }];
  const asked = stream.subscribe(["tcs", "nosuch"], { fields: ["last", "volume"], maxHz: 2 });
  const item = { symbol: "TCS", code: 532540, fields: ["last", "volume"], max_hz: 2 };
  const command = await side.answer({ ...set("subscribed", RELIANCE, item), rejected });
  assert.deepEqual([command["fields"], command["max_hz"], command["mode"]], [["last", "volume"], 2, undefined]);
  const answer = await asked;
  assert.deepEqual(answer.rejected, rejected);
  assert.deepEqual(answer.symbols[1], { symbol: "TCS", code: 532540, isin: null, mode: null, fields: ["last", "volume"], maxHz: 2, every: false });

  const gone = stream.unsubscribe([500325]);
  await side.answer(set("unsubscribed", item));
  await gone;
  assert.equal(stream.quote("RELIANCE"), null);
  side.close(4000);
  const next = await stage.hub.connection();
  assert.deepEqual((await next.commands.take())["symbols"], ["532540"]);
});

scene("the set is told when it changes, and not when only an image is asked for again", async (stage) => {
  const { stream, events, side } = await begun(stage);
  let told = 0;
  stream.listen((event) => (told += Number(event.type === "subscriptions")));
  side.send(update(14, 15, 9));
  await side.answer(set("subscribed", RELIANCE));
  side.send(image(9, { sequence: 15 }));
  await events.until("gap");
  await events.until("quotes");
  assert.equal(told, 0);
  side.send({ id: null, ...set("subscribed", RELIANCE, TCS) });
  await events.until("subscriptions");
});

scene("a command whose connection ends is repeated on the next one", async (stage) => {
  const { stream } = stage.open();
  const side = await stage.hub.connection();
  const asked = stream.subscribe(["TCS"]);
  await side.commands.take();
  side.close(1001);
  const next = await stage.hub.connection();
  await next.answer(set("subscribed", TCS));
  assert.deepEqual((await asked).symbols.map(({ symbol }) => symbol), ["TCS"]);
});

scene("refusals are typed, but for those that pass by themselves", async (stage) => {
  const { stream, side } = await begun(stage);
  const asked = stream.subscribe(["TCS"]);
  await side.answer({ type: "error", reason: "not_ready", message: "wait" });
  await side.answer(set("subscribed", RELIANCE, TCS));
  assert.equal((await asked).symbols.length, 2);

  const refused = assert.rejects(stream.subscribe(["TCS"], { fields: ["x"] }), (error) => error instanceof CommandRefused && error.reason === "unknown_field");
  await side.answer({ type: "error", reason: "unknown_field", message: "no x" });
  await refused;

  const late = assert.rejects(stream.ping(), CommandTimedOut);
  await side.commands.take();
  stage.timing.advance(10_000);
  await late;
});

scene("the rate is restored before the set", async (stage) => {
  const { stream, side } = await begun(stage, { heartbeatIntervalMs: 2_000 });
  const asked = stream.rate(5);
  await side.answer({ type: "rate", max_hz: 4 });
  assert.equal(await asked, 4);
  side.close(4008);
  const next = await stage.hub.connection();
  const command = await next.answer({ type: "rate", max_hz: 4 });
  assert.deepEqual([command["op"], command["max_hz"]], ["rate", 5]);
  assert.equal((await next.commands.take())["op"], "resume");
  assert.equal(next.heartbeats[0]?.["interval_ms"], 2_000);
});

scene("a hole is told, its image asked for, and heals it", async (stage) => {
  const { stream, events, side } = await begun(stage);
  side.send(update(14, 15, 9));
  const gap = await events.until("gap");
  assert.deepEqual([gap.symbol, gap.held, gap.from], ["RELIANCE", 12, 14]);
  assert.equal(stream.quote("RELIANCE")?.quality, "stale");
  const command = await side.answer(set("subscribed", RELIANCE));
  assert.deepEqual([command["symbols"], command["mode"]], [["500325"], "quote"]);
  side.send(image(9, { sequence: 15 }));
  await events.until("quotes");
  assert.equal(stream.quote("RELIANCE")?.quality, "live");
});

scene("a wrong digest is told, counted, and heals", async (stage) => {
  const { stream, events, side } = await begun(stage);
  side.send(heartbeat({ digest: (RIGHT + 1) % 2 ** 32 }));
  assert.equal((await events.until("digest_mismatch")).count, 1);
  assert.equal(stream.quote("RELIANCE")?.quality, "stale");
  await side.answer(set("subscribed", RELIANCE));
  side.send(image(1), heartbeat({ digest: RIGHT }));
  await events.until("heartbeat");
  assert.equal(stream.quote("RELIANCE")?.quality, "live");
  assert.equal(stream.digestMismatches, 1);
});

scene("silence makes all stale, and replaces the connection", async (stage) => {
  const { stream, events } = await begun(stage);
  stage.timing.advance(2_999);
  assert.equal(stream.quote("RELIANCE")?.quality, "live");
  stage.timing.advance(1);
  assert.equal((await events.until("qualities")).changes[0]?.quote.quality, "stale");
  stage.timing.advance(2_000);
  assert.equal((await events.until("disconnected")).reason, "nothing was heard of the hub");
  await stage.hub.connection();
});

scene("a goodbye says when to come back", async (stage) => {
  const { events } = stage.open({ backoff: { firstMs: 1_000, maxMs: 8_000 }, random: () => 0.5 });
  const side = await stage.hub.connection();
  side.send({ type: "goodbye", reason: "going_away", reconnect: true, after_ms: 750 });
  side.close(1001);
  const lost = await events.until("disconnected");
  assert.deepEqual([lost.reason, lost.retryInMs], ["going_away", 750]);
  stage.timing.advance(750);
  const waits = [];
  for (const beats of [false, false, true, false]) {
    const next = await stage.hub.connection();
    await events.until("connected");
    if (beats) {
      next.send(heartbeat());
      await events.until("heartbeat");
    }
    next.close(4010);
    waits.push((await events.until("disconnected")).retryInMs);
    stage.timing.advance(8_000);
  }
  assert.deepEqual(waits, [500, 1_000, 500, 1_000]);
});

for (const [code, kind] of [
  [4500, StreamRefused],
  [4502, Unauthorized],
  [4503, Unauthorized],
  [4504, TakenOver],
] as const) {
  scene(`close code ${code} ends the stream with a typed error`, async (stage) => {
    const { stream, events } = stage.open();
    (await stage.hub.connection()).close(code, "because");
    const { error } = await events.until("stopped");
    assert.ok(error instanceof kind);
    assert.deepEqual([error.code, error.reason], [code, "because"]);
    assert.equal(stream.status, "stopped");
    await assert.rejects(stream.subscribe(["TCS"]), kind);
  });
}

scene("a hub of another protocol version ends the stream", async (stage) => {
  const { events } = stage.open();
  (await stage.hub.connection()).send({ ...WELCOME, protocol: 2 });
  const { error } = await events.until("stopped");
  assert.match(String(error), /protocol 2/);
}, null);

scene("a server that says nothing, or nonsense, is left and tried again", async (stage) => {
  const { events } = stage.open();
  const mute = await stage.hub.connection();
  stage.timing.advance(5_000);
  assert.equal((await events.until("disconnected")).reason, "no welcome within 5000 ms");
  await mute.closed;
  const mad = await stage.hub.connection();
  mad.frame("{");
  assert.match((await events.until("disconnected")).reason, /malformed message/);
  assert.equal(await mad.closed, 3007);
  (await stage.hub.connection()).send(WELCOME);
  await events.until("connected");
}, null);

async function tokenShown(side: HubSide, answer: Json): Promise<unknown> {
  const command = await side.answer(answer);
  assert.equal(command["op"], "authenticate");
  return command["token"];
}

const TAKEN = { type: "authenticated", identity: TRADER, limits: LIMITS };
const REFUSED = { type: "error", reason: "token_refused", message: "expired" };

scene("a token is shown before anything else", async (stage) => {
  const { stream, events } = stage.open({ token: "ey", symbols: ["TCS"] });
  const side = await stage.hub.connection();
  assert.equal(await tokenShown(side, TAKEN), "ey");
  assert.equal((await side.answer(set("subscribed", TCS)))["op"], "subscribe");
  await events.until("subscriptions");
  assert.equal(stream.identity?.role, "trader");
});

scene("a refused token ends the stream; a provider is asked again", async (stage) => {
  const { events } = stage.open({ token: "bad" });
  await tokenShown(await stage.hub.connection(), REFUSED);
  assert.ok((await events.until("stopped")).error instanceof Unauthorized);

  let given = 0;
  const provided = stage.open({ token: () => Promise.resolve(`t-${++given}`) });
  await tokenShown(await stage.hub.connection(), REFUSED);
  assert.equal((await provided.events.until("disconnected")).reason, "token_refused");
  assert.equal(await tokenShown(await stage.hub.connection(), TAKEN), "t-2");
});

scene("before a token ends a fresh one is shown on the open connection", async (stage) => {
  let given = 0;
  const token = () => {
    given += 1;
    if (given === 2) throw new Error("the gateway is away");
    return `t-${given}`;
  };
  const { events } = stage.open({ token });
  const side = await stage.hub.connection();
  await tokenShown(side, TAKEN);
  side.send({ type: "notice", reason: "token_expiring", expires_at_ms: SENT });
  assert.equal((await events.until("notice")).notice.expiresAtMs, SENT);
  assert.match((await events.until("error")).message, /the gateway is away/);
  assert.equal(await tokenShown(side, TAKEN), "t-3");
});

scene("a listener may close the stream at any moment", async (stage) => {
  for (const moment of ["connected", "heartbeat", "subscriptions", "disconnected"] as const) {
    const { stream, events } = stage.open({ symbols: ["TCS"] });
    stream.listen((event) => event.type === moment && stream.close());
    const side = await stage.hub.connection();
    side.send(heartbeat(), { id: 2, ...set("subscribed", TCS) });
    side.close(1001);
    await events.until("stopped");
    assert.equal(stream.status, "stopped");
  }
});

scene("a closed stream takes no commands, and leaves nothing behind", async (stage) => {
  const { stream, events, side } = await begun(stage);
  stream.close();
  assert.equal((await events.until("stopped")).error, null);
  assert.ok([1000, 1005].includes(await side.closed));
  await assert.rejects(stream.subscribe(["TCS"]), StreamClosed);
  assert.throws(() => new QuoteStream("http://x"), TypeError);
});
