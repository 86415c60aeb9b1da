/** JavaScript client of the quote stream: see README.md. */

export type { Backoff } from "./backoff.js";
export type { Want } from "./commands.js";
export type { Credential } from "./conversation.js";
export {
  CommandRefused,
  CommandTimedOut,
  MalformedMessage,
  StreamClosed,
  StreamError,
  StreamRefused,
  TakenOver,
  Unauthorized,
} from "./errors.js";
export type { QuoteChange, StreamEvent } from "./events.js";
export type { FieldName, Level, Mode, Quality, QuoteFields } from "./fields.js";
export type { OpenSocket } from "./link.js";
export type { Feed, Heartbeat, Identity, Limits, LostChanges, MarketSession, Notice, Rejection, Subscription } from "./messages.js";
export { changePaise, changePercent, rupees, type Quote } from "./quote.js";
export { QuoteStream, type SetChange, type Status, type StreamOptions } from "./stream.js";
export type { Timing } from "./timing.js";
export type { Encoding } from "./wire.js";
