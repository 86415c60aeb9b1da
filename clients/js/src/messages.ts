/** What the hub may say, as types. The same whichever encoding carried it. */

import type { Mode, Quality, QuoteFields } from "./fields.js";

export type CommandId = number | string;

/** What the hub accepts of you. null: it did not say. */
export interface Limits {
  readonly symbols: number;
  readonly messageBytes: number | null;
  readonly commandsPerS: number | null;
  readonly connections: number | null;
  readonly allSymbols: boolean | null;
}

/** Who you are to the hub. expiresAtMs: when your token ends (epoch ms), if it does. */
export interface Identity {
  readonly subject: string;
  readonly role: string;
  readonly expiresAtMs: number | null;
}

export interface Welcome {
  readonly type: "welcome";
  readonly protocol: number;
  readonly session: string;
  readonly serverTimeMs: number;
  readonly heartbeatIntervalMs: number;
  readonly limits: Limits;
  readonly identity: Identity | null;
}

/** One scrip of the set: in a mode or with these fields. maxHz: the granted limit, null for none. */
export interface Subscription {
  readonly symbol: string;
  readonly code: number;
  readonly isin: string | null;
  readonly mode: Mode | null;
  readonly fields: readonly string[] | null;
  readonly maxHz: number | null;
  readonly every: boolean;
}

/** One name that the hub did not carry out, spelled as you sent it. */
export interface Rejection {
  readonly symbol: string;
  readonly reason: string;
  readonly message: string;
}

interface SetAnswer {
  readonly id: CommandId | null;
  readonly symbols: readonly Subscription[];
  readonly rejected: readonly Rejection[];
}

/** The full resulting set. Without an id nobody here asked for it. */
export interface Subscribed extends SetAnswer {
  readonly type: "subscribed";
}

export interface Unsubscribed extends SetAnswer {
  readonly type: "unsubscribed";
}

/** The full set after a return, and the codes that go on from your position or begin anew. */
export interface Resumed extends SetAnswer {
  readonly type: "resumed";
  readonly resumed: readonly number[];
  readonly reImaged: readonly number[];
}

export interface RateGranted {
  readonly type: "rate";
  readonly id: CommandId | null;
  readonly maxHz: number | null;
}

export interface Authenticated {
  readonly type: "authenticated";
  readonly id: CommandId | null;
  readonly identity: Identity;
  readonly limits: Limits;
}

export interface HeartbeatGranted {
  readonly type: "heartbeat_granted";
  readonly id: CommandId | null;
  readonly intervalMs: number;
  readonly digest: boolean;
}

export interface QuoteImage {
  readonly code: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly changedAtMs: number;
  readonly quality: Quality;
  readonly fields: Partial<QuoteFields>;
}

export interface Image {
  readonly type: "image";
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  readonly publishedAtMs: number | null;
  readonly quotes: readonly QuoteImage[];
}

/** The fields of one quote that changed after `from` up to `to`. */
export interface QuoteUpdate {
  readonly code: number;
  readonly from: number;
  readonly to: number;
  readonly fields: Partial<QuoteFields>;
}

export interface Update {
  readonly type: "update";
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  readonly publishedAtMs: number | null;
  readonly quotes: readonly QuoteUpdate[];
}

export interface Qualities {
  readonly type: "quality";
  readonly sentAtMs: number;
  readonly quotes: readonly { readonly code: number; readonly quality: Quality }[];
}

/** state: `ok`, `failing`, `closed` or `unknown`. */
export interface Feed {
  readonly state: string;
  readonly source: string | null;
  readonly ageMs: number | null;
}

export interface MarketSession {
  readonly phase: string;
  readonly isOpen: boolean;
  readonly reason: string;
  readonly tradingDay: string | null;
  readonly nextChangeAtMs: number | null;
}

/** How long live prices may be shown as live, and what the market and the feed do. */
export interface Heartbeat {
  readonly type: "heartbeat";
  readonly serverTimeMs: number;
  readonly liveForMs: number;
  readonly feed: Feed;
  readonly session: MarketSession;
  readonly conflated: number;
  readonly digest: number | null;
}

/** reason: `slow_reader`, `keeps_up_again` (with maxHz, conflated), `token_expiring` (with expiresAtMs). */
export interface Notice {
  readonly type: "notice";
  readonly reason: string;
  readonly maxHz: number | null;
  readonly conflated: number | null;
  readonly expiresAtMs: number | null;
}

/** Changes asked for with `every`, after `from` up to `to`, come merged. */
export interface LostChanges {
  readonly symbol: string;
  readonly code: number;
  readonly from: number;
  readonly to: number;
}

export interface Lost {
  readonly type: "lost";
  readonly quotes: readonly LostChanges[];
}

export interface Pong {
  readonly type: "pong";
  readonly id: CommandId | null;
  readonly serverTimeMs: number;
}

export interface HubError {
  readonly type: "error";
  readonly id: CommandId | null;
  readonly reason: string;
  readonly message: string;
}

export interface Goodbye {
  readonly type: "goodbye";
  readonly reason: string;
  readonly reconnect: boolean;
  readonly afterMs: number;
}

/** A type that only a newer hub knows: passed over. */
export interface Unknown {
  readonly type: "unknown";
  readonly name: string;
}

export type Answer =
  | Subscribed
  | Unsubscribed
  | Resumed
  | RateGranted
  | Authenticated
  | HeartbeatGranted
  | Pong
  | HubError;

export type Message = Answer | Welcome | Image | Update | Qualities | Heartbeat | Notice | Lost | Goodbye | Unknown;
