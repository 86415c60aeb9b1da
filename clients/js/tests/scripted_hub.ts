/** A real WebSocket server that says what a test tells it to say, and time that a test moves. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { StreamEvent } from "../src/events.js";
import type { QuoteStream } from "../src/stream.js";
import type { Timing } from "../src/timing.js";
import { decode as unpack, encode as pack } from "@msgpack/msgpack";

export type Json = Record<string, unknown>;

/** What arrives, and who waits for it. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(item);
  }
}

/** The hub's end of one connection. Heartbeats are granted as asked. */
export class HubSide {
  readonly commands = new Queue<Json>();
  readonly heartbeats: Json[] = [];
  readonly closed: Promise<number>;

  constructor(
    readonly socket: WebSocket,
    readonly query: Record<string, string>,
  ) {
    this.closed = once(socket, "close").then(([code]) => code as number);
    socket.on("message", (data: Buffer, isBinary) => {
      const command = (isBinary ? unpack(data) : JSON.parse(data.toString())) as Json;
      if (command["op"] !== "heartbeat") return this.commands.put(command);
      this.heartbeats.push(command);
      const { id, interval_ms, digest } = command;
      return this.send({ type: "heartbeat_granted", id, interval_ms, digest });
    });
  }

  send(...messages: Json[]): void {
    for (const message of messages) {
      this.socket.send(this.socket.protocol === "bse.v1.msgpack" ? pack(message) : JSON.stringify(message));
    }
  }

  frame(frame: string | Uint8Array): void {
    this.socket.send(frame);
  }

  /** Take a command and answer it; the command. */
  async answer(message: Json): Promise<Json> {
    const command = await this.commands.take();
    this.send({ id: command["id"], ...message });
    return command;
  }

  close(code: number, reason = ""): void {
    this.socket.close(code, reason);
  }
}

export class ScriptedHub {
  readonly #connections = new Queue<HubSide>();

  private constructor(
    readonly server: WebSocketServer,
    readonly url: string,
  ) {}

  static async start(welcome: Json | null): Promise<ScriptedHub> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const hub = new ScriptedHub(server, `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`);
    server.on("connection", (socket, request) => {
      const query = Object.fromEntries(new URL(request.url ?? "", hub.url).searchParams);
      const side = new HubSide(socket, query);
      if (welcome) side.send(welcome);
      hub.#connections.put(side);
    });
    return hub;
  }

  connection(): Promise<HubSide> {
    return this.#connections.take();
  }

  stop(): void {
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
  }
}

/** Time that stands still until `advance` moves it. */
export class ManualTiming implements Timing {
  #nowMs = 1_000_000;
  #calls: { atMs: number; call: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, call: () => void): () => void {
    const entry = { atMs: this.#nowMs + ms, call };
    if (ms <= 0) setImmediate(() => this.#calls.includes(entry) && this.#run(entry));
    this.#calls.push(entry);
    return () => (this.#calls = this.#calls.filter((other) => other !== entry));
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const entry of this.#calls.filter(({ atMs }) => atMs <= this.#nowMs)) this.#run(entry);
  }

  get pending(): number {
    return this.#calls.length;
  }

  #run(entry: { call: () => void }): void {
    this.#calls = this.#calls.filter((other) => other !== entry);
    entry.call();
  }
}

/** Collects the events of a stream; `until` gives the next of a type. */
export class Events {
  readonly #queue = new Queue<StreamEvent>();

  constructor(stream: QuoteStream) {
    stream.listen((event) => this.#queue.put(event));
  }

  async until<T extends StreamEvent["type"]>(type: T): Promise<Extract<StreamEvent, { type: T }>> {
    for (;;) {
      const event = await this.#queue.take();
      if (event.type === type) return event as Extract<StreamEvent, { type: T }>;
    }
  }
}
