/** The rarer messages: maps with the same members in both encodings. */

import { boolean, count, integer, listOf, memberOf, members, number, optional, text, type Members } from "./checked.js";
import type { Mode } from "./fields.js";
import type { CommandId, Identity, Limits, LostChanges, Message, Rejection, Subscription } from "./messages.js";

const mode = memberOf<Mode>(["ltp", "quote", "full"]);

function commandId(value: unknown): CommandId | null {
  return optional((id) => (typeof id === "string" ? text(id) : integer(id)))(value);
}

function limits(value: unknown): Limits {
  const raw = members(value);
  return {
    symbols: count(raw["symbols"]),
    messageBytes: optional(count)(raw["message_bytes"]),
    commandsPerS: optional(number)(raw["commands_per_s"]),
    connections: optional(count)(raw["connections"]),
    allSymbols: optional(boolean)(raw["all_symbols"]),
  };
}

function identity(value: unknown): Identity {
  const raw = members(value);
  return { subject: text(raw["subject"]), role: text(raw["role"]), expiresAtMs: optional(count)(raw["expires_at_ms"]) };
}

function subscription(value: unknown): Subscription {
  const raw = members(value);
  return {
    symbol: text(raw["symbol"]),
    code: count(raw["code"]),
    isin: optional(text)(raw["isin"]),
    mode: optional(mode)(raw["mode"]),
    fields: optional(listOf(text))(raw["fields"]),
    maxHz: optional(number)(raw["max_hz"]),
    every: raw["every"] === true,
  };
}

function rejection(value: unknown): Rejection {
  const raw = members(value);
  return { symbol: text(raw["symbol"]), reason: text(raw["reason"]), message: text(raw["message"]) };
}

function set(raw: Members) {
  return {
    id: commandId(raw["id"]),
    symbols: listOf(subscription)(raw["symbols"]),
    rejected: listOf(rejection)(raw["rejected"]),
  };
}

function lostChanges(value: unknown): LostChanges {
  const raw = members(value);
  return { symbol: text(raw["symbol"]), code: count(raw["code"]), from: count(raw["from"]), to: count(raw["to"]) };
}

function heartbeat(raw: Members): Message {
  const feed = members(raw["feed"]);
  const session = members(raw["session"]);
  return {
    type: "heartbeat",
    serverTimeMs: count(raw["server_time_ms"]),
    liveForMs: integer(raw["live_for_ms"]),
    feed: {
      state: text(feed["state"]),
      source: optional(text)(feed["source"]),
      ageMs: optional(integer)(feed["age_ms"]),
    },
    session: {
      phase: text(session["phase"]),
      isOpen: boolean(session["is_open"]),
      reason: text(session["reason"]),
      tradingDay: optional(text)(session["trading_day"]),
      nextChangeAtMs: optional(integer)(session["next_change_at_ms"]),
    },
    conflated: count(raw["conflated"]),
    digest: optional(count)(raw["digest"]),
  };
}

type Reader = (raw: Members) => Message;

/** By the `type` of the map. */
export const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    "welcome",
    (raw) => ({
      type: "welcome",
      protocol: count(raw["protocol"]),
      session: text(raw["session"]),
      serverTimeMs: count(raw["server_time_ms"]),
      heartbeatIntervalMs: count(raw["heartbeat_interval_ms"]),
      limits: limits(raw["limits"]),
      identity: optional(identity)(raw["identity"]),
    }),
  ],
  ["subscribed", (raw) => ({ type: "subscribed", ...set(raw) })],
  ["unsubscribed", (raw) => ({ type: "unsubscribed", ...set(raw) })],
  [
    "resumed",
    (raw) => ({
      type: "resumed",
      ...set(raw),
      resumed: listOf(count)(raw["resumed"]),
      reImaged: listOf(count)(raw["re_imaged"]),
    }),
  ],
  ["rate", (raw) => ({ type: "rate", id: commandId(raw["id"]), maxHz: optional(number)(raw["max_hz"]) })],
  [
    "authenticated",
    (raw) => ({
      type: "authenticated",
      id: commandId(raw["id"]),
      identity: identity(raw["identity"]),
      limits: limits(raw["limits"]),
    }),
  ],
  [
    "heartbeat_granted",
    (raw) => ({
      type: "heartbeat_granted",
      id: commandId(raw["id"]),
      intervalMs: count(raw["interval_ms"]),
      digest: boolean(raw["digest"]),
    }),
  ],
  ["heartbeat", heartbeat],
  [
    "notice",
    (raw) => ({
      type: "notice",
      reason: text(raw["reason"]),
      maxHz: optional(number)(raw["max_hz"]),
      conflated: optional(count)(raw["conflated"]),
      expiresAtMs: optional(count)(raw["expires_at_ms"]),
    }),
  ],
  ["lost", (raw) => ({ type: "lost", quotes: listOf(lostChanges)(raw["quotes"]) })],
  ["pong", (raw) => ({ type: "pong", id: commandId(raw["id"]), serverTimeMs: count(raw["server_time_ms"]) })],
  [
    "error",
    (raw) => ({ type: "error", id: commandId(raw["id"]), reason: text(raw["reason"]), message: text(raw["message"]) }),
  ],
  [
    "goodbye",
    (raw) => ({
      type: "goodbye",
      reason: text(raw["reason"]),
      reconnect: boolean(raw["reconnect"]),
      afterMs: count(raw["after_ms"]),
    }),
  ],
]);
