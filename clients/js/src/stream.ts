/** The stream as its user sees it: connect, subscribe, listen, look up quotes. It stays connected. */

import { BACKOFF, waitMs, type Backoff } from "./backoff.js";
import { failure, type Ending } from "./close_codes.js";
import { nameBatches, normal, sensible, type Asked, type Want } from "./commands.js";
import { Conversation, type Credential, fresh } from "./conversation.js";
import { CommandRefused, CommandTimedOut, MalformedMessage, StreamClosed, StreamRefused, TakenOver, Unauthorized } from "./errors.js";
import type { StreamEvent } from "./events.js";
import { Follower } from "./follower.js";
import { Link, LinkLost, type OpenSocket } from "./link.js";
import type { Answer, Heartbeat, Identity, Limits, Message, Rejection, Subscription } from "./messages.js";
import type { Quote } from "./quote.js";
import { REAL_TIMING, type Timing } from "./timing.js";
import { PROTOCOL, SUBPROTOCOLS, type Encoding } from "./wire.js";

/** How to connect. All but the address is optional. */
export interface StreamOptions extends Want {
  /** What to subscribe to from the start, in the way of `mode`, `fields`, `maxHz`, `every`. */
  readonly symbols?: readonly (string | number)[];
  readonly encoding?: Encoding;
  /** Also follow the set stored under this name. */
  readonly clientId?: string;
  /** An access token, or what gives a fresh one: shown on each connection, and before a token ends. */
  readonly token?: Credential;
  /** A single-use ticket for the address, or (better: it is needed for each connection) what gives one. */
  readonly ticket?: Credential;
  /** Of your connections with this name only the newest lives. */
  readonly session?: string;
  /** How often to be told that all is well, 500 to 5000. */
  readonly heartbeatIntervalMs?: number;
  /** Prove with each heartbeat that we hold what the hub holds (default: true). */
  readonly digest?: boolean;
  /** Have large messages deflated, for a thin line. */
  readonly compress?: boolean;
  readonly connectTimeoutMs?: number;
  readonly replyTimeoutMs?: number;
  readonly backoff?: Backoff;
  readonly openSocket?: OpenSocket;
  readonly timing?: Timing;
  /** Chance in [0, 1). */
  readonly random?: () => number;
}

/** The full set after a command, and the names that were not carried out. */
export interface SetChange {
  readonly symbols: readonly Subscription[];
  readonly rejected: readonly Rejection[];
}

export type Status = "connecting" | "open" | "waiting" | "stopped";

export class QuoteStream {
  readonly #url: string;
  readonly #options: StreamOptions;
  readonly #want: Want;
  readonly #timing: Timing;
  readonly #follower = new Follower();
  readonly #listeners = new Set<(event: StreamEvent) => void>();
  readonly #waiters = new Set<{ resolve: (talk: Conversation) => void; reject: (error: Error) => void }>();
  #status: Status = "connecting";
  #token: Credential | undefined;
  #maxHz: number | null = null;
  #ready: Conversation | null = null;
  #link: Link | null = null;
  #failures = 0;
  #error: Error | null = null;
  #wakeUp: (() => void) | null = null;

  /** Begins to connect at once, and goes on until `close` or until the hub refuses us for good. */
  constructor(url: string, options: StreamOptions = {}) {
    const { mode, fields, maxHz, every } = options;
    this.#url = new URL(url).href;
    if (!/^wss?:/.test(this.#url)) throw new TypeError(`${url} is no ws:// or wss:// address`);
    this.#options = options;
    this.#want = sensible({
      ...(mode && { mode }),
      ...(fields && { fields }),
      ...(maxHz !== undefined && { maxHz }),
      ...(every && { every }),
    });
    this.#timing = options.timing ?? REAL_TIMING;
    this.#token = options.token;
    this.#follower.subscriptions.begin(normal(options.symbols ?? []), this.#want);
    void this.#run();
  }

  // What is known.

  get status(): Status {
    return this.#status;
  }

  /** The newest quote of a scrip of the set, by symbol or code; null without an image of it. */
  quote(name: string | number): Quote | null {
    const code = this.#follower.subscriptions.codeOf(name);
    return code === undefined ? null : this.#follower.quote(code, this.#timing.nowMs());
  }

  /** All quotes, in order of the first image. */
  quotes(): Quote[] {
    const nowMs = this.#timing.nowMs();
    return [...this.#follower.codes].flatMap((code) => this.#follower.quote(code, nowMs) ?? []);
  }

  /** How long ago the newest change of a quote reached the platform; null while the hub's clock is unknown. */
  ageMs(quote: Quote): number | null {
    return this.#follower.ageMs(quote, this.#timing.nowMs());
  }

  /** The full set, as the hub last told it on this connection. */
  get subscriptions(): readonly Subscription[] {
    return [...this.#follower.subscriptions.held.values()];
  }

  get heartbeat(): Heartbeat | null {
    return this.#follower.heartbeat;
  }

  /** Who we are to the hub; null: nobody in particular. */
  get identity(): Identity | null {
    return this.#follower.identity;
  }

  get limits(): Limits | null {
    return this.#follower.limits;
  }

  /** How often we did not hold what the hub held, and took new images. */
  get digestMismatches(): number {
    return this.#follower.digestMismatches;
  }

  /** Be told of everything from now on; what is returned ends that. */
  listen(listener: (event: StreamEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // Commands. They wait through reconnects; CommandTimedOut, CommandRefused, StreamRefused, StreamClosed.

  /** Add scrips by symbol, code or ISIN (`index:NAME`, `group:NAME` and `*` name many), or change what is sent. */
  async subscribe(symbols: readonly (string | number)[], want?: Want): Promise<SetChange> {
    return this.#change("subscribe", symbols, want ? sensible(want) : this.#want);
  }

  /** Remove scrips. */
  async unsubscribe(symbols: readonly (string | number)[]): Promise<SetChange> {
    return this.#change("unsubscribe", symbols);
  }

  /** At most so many update messages a second, now and after reconnects; null: no limit. Returns what was granted. */
  async rate(maxHz: number | null): Promise<number | null> {
    const { maxHz: granted } = await this.#answered("rate", { op: "rate", options: { max_hz: maxHz } });
    this.#maxHz = maxHz;
    return granted;
  }

  /** Show a token, also instead of one that ends. It serves for reconnects, too. */
  async authenticate(token: string): Promise<Identity> {
    const answer = await this.#answered("authenticated", { op: "authenticate", options: { token } });
    if (typeof this.#token !== "function") this.#token = token;
    return answer.identity;
  }

  /** The round trip to the hub in milliseconds. */
  async ping(): Promise<number> {
    const sentMs = this.#timing.nowMs();
    await this.#answered("pong", { op: "ping" });
    return this.#timing.nowMs() - sentMs;
  }

  /** End the stream. */
  close(): void {
    this.#stop(null);
    this.#link?.close(failure("closed by us"));
    this.#wakeUp?.();
  }

  // Staying connected.

  async #run(): Promise<void> {
    while (this.#status !== "stopped") {
      const ending = await this.#oneConnection();
      this.#ready = this.#link = null;
      this.#follower.disconnected(this.#timing.nowMs());
      if (this.#isStopped()) break;
      if (ending.isFinal) {
        this.#stop(refusal(ending));
        break;
      }
      const retryInMs = ending.afterMs ?? this.#backOff();
      this.#status = "waiting";
      this.#tell({ type: "disconnected", reason: ending.reason, code: ending.code, retryInMs });
      await this.#sleep(retryInMs);
    }
  }

  async #oneConnection(): Promise<Ending> {
    this.#status = "connecting";
    let url: string;
    try {
      url = await this.#address();
    } catch (problem) {
      return failure(`no ticket: ${String(problem)}`);
    }
    if (this.#isStopped()) return failure("closed by us");
    return this.#connected(url);
  }

  #connected(url: string): Promise<Ending> {
    const protocols = [SUBPROTOCOLS[this.#options.encoding ?? "msgpack"]];
    const open = this.#options.openSocket ?? ((address, offered) => new WebSocket(address, offered));
    const isReturn = this.#follower.welcome !== null;
    return new Promise((resolve) => {
      const limitMs = this.#options.connectTimeoutMs ?? 5_000;
      const tooLate = (): void => link.close(failure(`no welcome within ${limitMs} ms`));
      let cancelTimer = this.#timing.after(limitMs, tooLate);
      let isOver = false;
      const watch = (): void => {
        const nowMs = this.#timing.nowMs();
        const isLost = this.#follower.check(nowMs);
        this.#flush();
        if (isLost) link.close(failure("nothing was heard of the hub"));
        if (isOver) return; // a listener may have closed the stream just now
        cancelTimer();
        cancelTimer = this.#timing.after(Math.max(1, this.#follower.liveness.nextCheckMs(nowMs) - nowMs), watch);
      };
      const took = (message: Message, asked: Asked | undefined): void => {
        if (message.type === "welcome" && message.protocol !== PROTOCOL) {
          const reason = `the hub speaks protocol ${message.protocol}, we ${PROTOCOL}`;
          link.close({ ...failure(reason), isFinal: true });
          return;
        }
        this.#take(talk, message, asked);
        if (isOver) return;
        if (message.type === "welcome" || message.type === "heartbeat") watch();
        if (message.type === "welcome") void this.#begin(talk, isReturn);
      };
      const ended = (ending: Ending): void => {
        isOver = true;
        cancelTimer();
        resolve(ending);
      };
      const link = new Link(open(url, protocols), took, ended);
      const talk = new Conversation(link, this.#follower, this.#options, this.#timing, () => this.#flush());
      this.#link = link;
    });
  }

  async #begin(talk: Conversation, isReturn: boolean): Promise<void> {
    if (this.#isStopped()) return;
    this.#status = "open";
    const ending = await talk.begin(this.#token, this.#maxHz, isReturn);
    if (ending) talk.link.close(ending);
    if (ending || talk.link !== this.#link) return;
    this.#ready = talk;
    for (const { resolve } of this.#waiters) resolve(talk);
    this.#waiters.clear();
    this.#flush();
  }

  #take(talk: Conversation, message: Message, asked: Asked | undefined): void {
    const again = this.#follower.receive(message, this.#timing.nowMs(), asked);
    if (message.type === "heartbeat") this.#failures = 0;
    const isExpiring = message.type === "notice" && message.reason === "token_expiring";
    if (isExpiring && typeof this.#token === "function") void talk.refresh(this.#token);
    if (again.length) talk.askImages(again);
    this.#flush();
  }

  async #address(): Promise<string> {
    const { clientId, session, ticket, compress } = this.#options;
    const url = new URL(this.#url);
    if (clientId) url.searchParams.set("client_id", clientId);
    if (session) url.searchParams.set("session", session);
    if (compress) url.searchParams.set("compress", "deflate");
    if (ticket) url.searchParams.set("ticket", await fresh(ticket));
    return url.href;
  }

  #backOff(): number {
    const random = this.#options.random ?? Math.random;
    return waitMs(this.#options.backoff ?? BACKOFF, this.#failures++, random());
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timing.after(ms, resolve);
      this.#wakeUp = () => {
        cancel();
        resolve();
      };
    });
  }

  #isStopped(): boolean {
    return this.#status === "stopped";
  }

  #stop(error: Error | null): void {
    if (this.#isStopped()) return;
    this.#status = "stopped";
    this.#error = error;
    for (const { reject } of this.#waiters) reject(error ?? new StreamClosed());
    this.#waiters.clear();
    this.#tell({ type: "stopped", error });
  }

  // Telling and asking.

  #flush(): void {
    for (const event of this.#follower.takeEvents()) this.#deliver(event);
  }

  #tell(event: StreamEvent): void {
    this.#flush();
    this.#deliver(event);
  }

  #deliver(event: StreamEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (problem) {
        queueMicrotask(() => {
          throw problem; // one listener's mistake is seen, and is neither the stream's nor another's
        });
      }
    }
  }

  async #change(op: "subscribe" | "unsubscribe", symbols: readonly (string | number)[], want?: Want): Promise<SetChange> {
    let change: SetChange = { symbols: this.subscriptions, rejected: [] };
    for (const batch of nameBatches(normal(symbols), this.limits)) {
      const asked: Asked = { op, symbols: batch, ...(want && { want }) };
      const given = await this.#answered(`${op}d`, asked);
      change = { symbols: given.symbols, rejected: [...change.rejected, ...given.rejected] };
    }
    return change;
  }

  async #answered<T extends Answer["type"]>(kind: T, asked: Asked): Promise<Extract<Answer, { type: T }>> {
    const limitMs = this.#options.replyTimeoutMs ?? 10_000;
    let why = "";
    let cancel = (): void => undefined;
    const tooLate = new Promise<never>((_, reject) => {
      cancel = this.#timing.after(limitMs, () => reject(new CommandTimedOut(asked.op, limitMs, why)));
    });
    try {
      for (let failures = 0; ; failures += 1) {
        const talk = await Promise.race([this.#readyTalk(), tooLate]);
        try {
          const answer = await Promise.race([talk.link.ask(asked), tooLate]);
          if (answer.type === kind) return answer as Extract<Answer, { type: T }>;
        } catch (problem) {
          const isPassing = problem instanceof CommandRefused && problem.reason === "not_ready";
          if (!isPassing && !(problem instanceof LinkLost)) throw problem;
          why = problem.message;
          if (isPassing) await Promise.race([talk.pause(failures), tooLate]);
          continue;
        }
        throw new MalformedMessage(`the answer to ${asked.op} is of another type`);
      }
    } finally {
      cancel();
      tooLate.catch(() => undefined);
    }
  }

  #readyTalk(): Promise<Conversation> {
    if (this.#isStopped()) return Promise.reject(this.#error ?? new StreamClosed());
    if (this.#ready) return Promise.resolve(this.#ready);
    return new Promise((resolve, reject) => this.#waiters.add({ resolve, reject }));
  }
}

function refusal({ reason, code }: Ending): StreamRefused {
  if (code === 4504) return new TakenOver(reason, code);
  if (code === 4502 || code === 4503 || reason === "token_refused") return new Unauthorized(reason, code);
  return new StreamRefused(reason, code);
}
