/** What a stream tells its listeners. */

import type { FieldName, Quality } from "./fields.js";
import type { Heartbeat, LostChanges, Notice, Rejection, Subscription } from "./messages.js";
import type { Quote } from "./quote.js";

/** A quote has new values, after the position `from`. isImage: it was replaced as a whole. */
export interface QuoteChange {
  readonly quote: Quote;
  readonly changedFields: readonly FieldName[];
  readonly from: number;
  readonly isImage: boolean;
}

export type StreamEvent =
  /** Quotes of one message; of a scrip with `every`, each change by itself and in order. */
  | { readonly type: "quotes"; readonly changes: readonly QuoteChange[] }
  /** Prices may be trusted more or less than before. */
  | { readonly type: "qualities"; readonly changes: readonly { readonly quote: Quote; readonly before: Quality }[] }
  /** Changes of one scrip were missed: it is stale until its new image, which is asked for. */
  | { readonly type: "gap"; readonly symbol: string; readonly code: number; readonly held: number; readonly from: number }
  /** Changes asked for with `every` come merged. */
  | { readonly type: "lost"; readonly changes: readonly LostChanges[] }
  /** We did not hold what the hub holds: all is stale until its new image, which is asked for. */
  | { readonly type: "digest_mismatch"; readonly expected: number; readonly computed: number; readonly count: number }
  | { readonly type: "heartbeat"; readonly heartbeat: Heartbeat }
  | { readonly type: "notice"; readonly notice: Notice }
  /** The full set after a change by us or, with a client id, by somebody else. */
  | { readonly type: "subscriptions"; readonly symbols: readonly Subscription[]; readonly rejected: readonly Rejection[] }
  | { readonly type: "connected"; readonly session: string; readonly isReturn: boolean }
  /** Our set is back on a new connection: codes that went on from what we held, and those that began anew. */
  | { readonly type: "restored"; readonly resumed: readonly number[]; readonly reImaged: readonly number[] }
  | { readonly type: "disconnected"; readonly reason: string; readonly code: number | null; readonly retryInMs: number }
  /** The hub refused something that nobody waits for. */
  | { readonly type: "error"; readonly reason: string; readonly message: string }
  /** The stream is over: closed by us (null), or refused for good. */
  | { readonly type: "stopped"; readonly error: Error | null };
