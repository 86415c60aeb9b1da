/** The content of contracts/wire_vectors.json, which the tests of hub and Python client read too. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Case {
  name: string;
  json: string;
  msgpack: string;
  meaning: Record<string, unknown>;
}

export interface Step {
  at_ms: number;
  json?: string;
  msgpack?: string;
  lost?: boolean;
  asked?: { op: string; positions?: [number, number, number][] };
  then: Record<string, Record<string, unknown>>;
  ask_images?: number[];
  absent?: number[];
  positions?: [number, number, number][];
  rows?: [number, number | null][];
  lost_changes?: [number, number, number][];
  mismatches?: number;
}

interface Vectors {
  messages: Case[];
  commands: Case[];
  malformed_json: Record<string, string>;
  malformed_msgpack: Record<string, string>;
  passed_over: { json: Record<string, string>; msgpack: Record<string, string> };
  digests: { name: string; positions: [number, string, number][]; digest: number }[];
  closes: { code: number | null; reconnect: boolean; after_ms?: number; goodbye?: { reconnect: boolean; after_ms: number } }[];
  stories: { name: string; steps: Step[] }[];
}

const FILE = new URL("../../../../contracts/wire_vectors.json", import.meta.url);

export const VECTORS = JSON.parse(readFileSync(fileURLToPath(FILE), "utf8")) as Vectors;

export function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** `previous_close_paise` as `previousClosePaise`. */
export function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
