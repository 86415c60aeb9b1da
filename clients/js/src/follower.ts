/**
 * Message by message: what the stream knows, what its listeners are told, and which images are wanted.
 * Pure: the edge brings messages and its monotonic `nowMs`, and asks for the images it is told to.
 */

import { granted, wantKey, type Asked } from "./commands.js";
import type { QuoteChange, StreamEvent } from "./events.js";
import { Liveness } from "./liveness.js";
import type {
  Heartbeat,
  Identity,
  Image,
  Limits,
  Message,
  Qualities,
  Resumed,
  Subscribed,
  Subscription,
  Unsubscribed,
  Update,
  Welcome,
} from "./messages.js";
import type { Quote } from "./quote.js";
import { QuoteTable } from "./quote_table.js";
import { ServerClock } from "./server_clock.js";
import { Subscriptions, type Restore } from "./subscriptions.js";

/** How long to wait for an image, or for a word on a quality, before asking for an image (again). */
const ASK_AGAIN_MS = 3_000;

export class Follower {
  readonly subscriptions = new Subscriptions();
  readonly liveness = new Liveness();
  welcome: Welcome | null = null;
  heartbeat: Heartbeat | null = null;
  identity: Identity | null = null;
  limits: Limits | null = null;
  digestMismatches = 0;
  readonly #table = new QuoteTable();
  readonly #askedMs = new Map<number, number>();
  readonly #resumed = new Set<number>();
  #clock = new ServerClock();
  #wasLive = false;
  #events: StreamEvent[] = [];

  /** Take a message, the answer to `asked` or nobody's; the codes to image again. */
  receive(message: Message, nowMs: number, asked?: Asked): number[] {
    this.liveness.heard(nowMs);
    const again = this.#take(message, nowMs, asked);
    this.#requalifyIfFlipped(nowMs);
    return again;
  }

  /** What the listeners are to be told since the last time. */
  takeEvents(): StreamEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Time passed without a message: requalify; true if the connection is lost. */
  check(nowMs: number): boolean {
    this.#requalifyIfFlipped(nowMs);
    return this.liveness.isLost(nowMs);
  }

  /** The connection is gone: nothing is live, and nothing applies until the hub goes on. */
  disconnected(nowMs: number): void {
    this.liveness.disconnected();
    this.#table.disconnected();
    this.subscriptions.disconnected();
    this.#askedMs.clear();
    this.#resumed.clear();
    this.#requalify(this.#table.codes, nowMs);
  }

  /** What to ask for on a new connection: to go on from what we hold, or to begin anew. */
  restore(): Restore[] {
    return this.subscriptions.restore(this.#table.positions(this.subscriptions.own));
  }

  /** All of `restore` was asked for and answered; the listeners are told what became of it. */
  restored(isReturn: boolean): void {
    this.subscriptions.restored();
    const held = this.subscriptions.held;
    this.#keep(held.values());
    if (isReturn && held.size) {
      const codes = [...held.keys()];
      this.#events.push({
        type: "restored",
        resumed: codes.filter((code) => this.#resumed.has(code)),
        reImaged: codes.filter((code) => !this.#resumed.has(code)),
      });
    }
    this.#resumed.clear();
  }

  /** The hub refused what nobody waits for. */
  refused(reason: string, message: string): void {
    this.#events.push({ type: "error", reason, message });
  }

  /** The quote to show now. */
  quote(code: number, nowMs: number): Quote | null {
    return this.#table.quote(code, this.liveness.isLive(nowMs));
  }

  /** The codes of all scrips that have a quote. */
  get codes(): Iterable<number> {
    return this.#table.codes;
  }

  /** How long ago the newest change of a quote reached the platform, in ms; null while the hub's clock is unknown. */
  ageMs(quote: Quote, nowMs: number): number | null {
    const hubNowMs = this.#clock.nowMs(nowMs);
    return hubNowMs === null ? null : Math.max(0, Math.floor(hubNowMs) - quote.changedAtMs);
  }

  // One method for each message.

  #take(message: Message, nowMs: number, asked: Asked | undefined): number[] {
    switch (message.type) {
      case "image":
        this.#image(message, nowMs);
        return [];
      case "update":
        return this.#update(message, nowMs);
      case "quality":
        this.#qualities(message, nowMs);
        return [];
      case "heartbeat":
        return this.#beat(message, nowMs);
      default:
        this.#rare(message, nowMs, asked);
        return [];
    }
  }

  #rare(message: Message, nowMs: number, asked: Asked | undefined): void {
    switch (message.type) {
      case "welcome":
        this.#welcomed(message, nowMs);
        break;
      case "subscribed":
      case "unsubscribed":
      case "resumed":
        this.#set(message, nowMs, asked);
        break;
      case "authenticated":
        this.identity = message.identity;
        this.limits = message.limits;
        break;
      case "heartbeat_granted":
        this.liveness.granted(message.intervalMs);
        break;
      case "notice":
        this.#events.push({ type: "notice", notice: message });
        break;
      case "lost":
        this.#events.push({ type: "lost", changes: message.quotes });
        break;
      case "error":
        if (!asked) this.refused(message.reason, message.message);
        break;
    }
  }

  #welcomed(welcome: Welcome, nowMs: number): void {
    this.#events.push({ type: "connected", session: welcome.session, isReturn: this.welcome !== null });
    this.welcome = welcome;
    this.identity = welcome.identity;
    this.limits = welcome.limits;
    this.#clock = new ServerClock();
    this.#clock.observe(welcome.serverTimeMs, nowMs);
    this.liveness.connected(welcome.heartbeatIntervalMs, nowMs);
  }

  #set(answer: Subscribed | Unsubscribed | Resumed, nowMs: number, asked: Asked | undefined): void {
    const before = this.subscriptions.held;
    this.subscriptions.receive(answer, asked);
    if (answer.rejected.length || !isSameSet(before, this.subscriptions.held)) {
      this.#events.push({ type: "subscriptions", symbols: answer.symbols, rejected: answer.rejected });
    }
    this.#keep(answer.symbols);
    if (answer.type !== "resumed") return;
    for (const code of answer.resumed) this.#resumed.add(code);
    for (const code of this.#table.resumed(answer.resumed)) this.#askedMs.set(code, nowMs);
  }

  #keep(set: Iterable<Subscription>): void {
    this.#table.keep(set, this.subscriptions.restoring);
    for (const code of this.#askedMs.keys()) if (!this.#table.knows(code)) this.#askedMs.delete(code);
  }

  #image(image: Image, nowMs: number): void {
    const changes: QuoteChange[] = [];
    const isLive = this.liveness.isLive(nowMs);
    for (const item of image.quotes) {
      const isFirst = !this.#table.has(item.code);
      const { outcome, changed } = this.#table.image(item);
      const quote = outcome === "applied" ? this.#table.quote(item.code, isLive) : null;
      if (!quote) continue;
      this.#askedMs.delete(item.code);
      if (isFirst) this.#table.requalify([item.code], isLive); // it had no quality before
      changes.push({ quote, changedFields: changed, from: item.sequence, isImage: true });
    }
    this.#tell(changes);
    this.#requalify(image.quotes.map((item) => item.code), nowMs);
  }

  #update(update: Update, nowMs: number): number[] {
    const changes: QuoteChange[] = [];
    const torn: number[] = [];
    const isLive = this.liveness.isLive(nowMs);
    for (const item of update.quotes) {
      const { changed, isNewGap } = this.#table.update(item, update.receivedAtMs);
      const quote = changed.length ? this.#table.quote(item.code, isLive) : null;
      if (quote) changes.push({ quote, changedFields: changed, from: item.from, isImage: false });
      if (!isNewGap) continue;
      torn.push(item.code);
      this.#askedMs.set(item.code, nowMs);
      const symbol = this.#table.symbolOf(item.code);
      this.#events.push({ type: "gap", symbol, code: item.code, held: this.#table.sequenceOf(item.code), from: item.from });
    }
    this.#tell(changes);
    this.#requalify(torn, nowMs);
    return torn;
  }

  #tell(changes: QuoteChange[]): void {
    if (changes.length) this.#events.push({ type: "quotes", changes });
  }

  #qualities(message: Qualities, nowMs: number): void {
    for (const { code, quality } of message.quotes) {
      if (this.#table.report(code, quality)) this.#askedMs.delete(code);
    }
    this.#requalify(message.quotes.map((item) => item.code), nowMs);
  }

  #beat(heartbeat: Heartbeat, nowMs: number): number[] {
    const lateMs = this.#clock.observe(heartbeat.serverTimeMs, nowMs);
    this.liveness.beat(heartbeat.liveForMs - lateMs, nowMs);
    this.heartbeat = heartbeat;
    this.#events.push({ type: "heartbeat", heartbeat });
    if (heartbeat.digest !== null && this.#askedMs.size === 0) return this.#compare(heartbeat.digest, nowMs);
    const again = [...this.#askedMs].filter(([, askedMs]) => nowMs - askedMs >= ASK_AGAIN_MS).map(([code]) => code);
    for (const code of again) this.#askedMs.set(code, nowMs);
    return again;
  }

  /** Hold our check sum against the hub's. Each scrip of the set is in doubt if they differ. */
  #compare(expected: number, nowMs: number): number[] {
    const codes = [...this.subscriptions.held.keys()];
    const computed = this.#table.digest(codes);
    if (computed === expected) return [];
    this.digestMismatches += 1;
    this.#events.push({ type: "digest_mismatch", expected, computed, count: this.digestMismatches });
    this.#table.doubt();
    for (const code of codes) this.#askedMs.set(code, nowMs);
    this.#requalify(this.#table.codes, nowMs);
    return codes;
  }

  #requalifyIfFlipped(nowMs: number): void {
    const isLive = this.liveness.isLive(nowMs);
    if (isLive === this.#wasLive) return;
    this.#wasLive = isLive;
    this.#requalify(this.#table.codes, nowMs);
  }

  #requalify(codes: Iterable<number>, nowMs: number): void {
    const flipped = this.#table.requalify(codes, this.liveness.isLive(nowMs));
    const changes = flipped.flatMap(({ code, before }) => {
      const quote = this.quote(code, nowMs);
      return quote ? [{ quote, before }] : [];
    });
    if (changes.length) this.#events.push({ type: "qualities", changes });
  }
}

type HeldSet = ReadonlyMap<number, Subscription>;

function isSameSet(one: HeldSet, other: HeldSet): boolean {
  const isSame = ([code, item]: [number, Subscription]): boolean => {
    const twin = one.get(code);
    return twin !== undefined && wantKey(granted(twin)) === wantKey(granted(item));
  };
  return one.size === other.size && [...other].every(isSame);
}
