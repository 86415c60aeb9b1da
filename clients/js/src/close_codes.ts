/** What the end of a connection means: its reason in words, and whether coming back is welcome. Pure. */

import type { Goodbye } from "./messages.js";

const GOODBYE_MAX_MS = 300_000;

const REASONS: ReadonlyMap<number, string> = new Map([
  [1000, "closed by the hub"],
  [1001, "the hub shuts down"],
  [1002, "the WebSocket protocol was broken"],
  [1006, "the connection was lost"],
  [1007, "text that is not UTF-8"],
  [1009, "a message was too big"],
  [4000, "internal error of the hub"],
  [4001, "the token expired"],
  [4008, "we read too slowly"],
  [4010, "too many connections"],
  [4011, "too many connections of this identity"],
  [4500, "too many bad messages"],
  [4501, "protocol not supported"],
  [4502, "revoked"],
  [4503, "not authenticated"],
  [4504, "another connection took over this session"],
]);

/** How a connection ended. afterMs: wait exactly so long; null: back off with jitter. */
export interface Ending {
  readonly reason: string;
  readonly code: number | null;
  readonly isFinal: boolean;
  readonly afterMs: number | null;
}

function isFinalCode(code: number | null): boolean {
  if (code === null) return false;
  return code === 1002 || code === 1007 || code === 1009 || (code >= 4500 && code < 5000);
}

/** What a close code, with what the hub said before, means. */
export function endingOf(code: number | null, said = "", goodbye: Pick<Goodbye, "reconnect" | "afterMs"> & { reason?: string } | null = null): Ending {
  const isFinal = isFinalCode(code) || goodbye?.reconnect === false;
  const words = REASONS.get(code ?? 1006) ?? `closed with code ${code}`;
  return {
    reason: goodbye?.reason || said || words,
    code,
    isFinal,
    afterMs: goodbye?.afterMs && !isFinal ? Math.min(GOODBYE_MAX_MS, goodbye.afterMs) : null,
  };
}

/** An end that no close code tells: an attempt that failed, a silence, a message that is none. */
export function failure(reason: string): Ending {
  return { reason, code: null, isFinal: false, afterMs: null };
}
