/**
 * Frames to messages and commands to frames, for both subprotocols of the raw WebSocket door.
 * Pure. Whatever comes in, `decode` gives a Message or throws MalformedMessage.
 */

import { decode as unpack, encode as pack } from "@msgpack/msgpack";
import { malformed, members, row, text, type Members } from "./checked.js";
import { MalformedMessage } from "./errors.js";
import type { Message } from "./messages.js";
import { READERS } from "./wire_control.js";
import { FREQUENT, FREQUENT_ARRAYS } from "./wire_quotes.js";

export type Encoding = "msgpack" | "json";
export const SUBPROTOCOLS: Readonly<Record<Encoding, string>> = { msgpack: "bse.v1.msgpack", json: "bse.v1.json" };
export const PROTOCOL = 1;

/** The message in a text frame (JSON) or a binary frame (MessagePack). */
export function decode(frame: string | ArrayBuffer | Uint8Array): Message {
  if (typeof frame === "string") return ofMap(members(parsed(frame)), true);
  const raw = unpacked(frame instanceof Uint8Array ? frame : new Uint8Array(frame));
  return Array.isArray(raw) ? ofArray(raw) : ofMap(members(raw), false);
}

/** A command as the text or the bytes to send. */
export function encode(command: Members, encoding: Encoding): string | Uint8Array<ArrayBuffer> {
  return encoding === "json" ? JSON.stringify(command) : pack(command);
}

function parsed(frame: string): unknown {
  try {
    return JSON.parse(frame) as unknown;
  } catch (problem) {
    throw new MalformedMessage(`not JSON: ${String(problem)}`);
  }
}

function unpacked(frame: Uint8Array): unknown {
  try {
    return unpack(frame);
  } catch (problem) {
    throw new MalformedMessage(`not MessagePack: ${String(problem)}`);
  }
}

function ofMap(raw: Members, isJson: boolean): Message {
  const kind = text(raw["type"]);
  const reader = READERS.get(kind) ?? (isJson ? FREQUENT.get(kind) : undefined);
  return reader ? reader(raw) : { type: "unknown", name: kind };
}

function ofArray(raw: readonly unknown[]): Message {
  const [kind, ...rest] = row(raw, 3);
  if (typeof kind !== "number") return malformed("a message begins with its number");
  const reader = FREQUENT_ARRAYS.get(kind);
  return reader ? reader(rest) : { type: "unknown", name: `number ${kind}` };
}
