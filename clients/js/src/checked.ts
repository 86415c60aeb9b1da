/** Reading of values from outside: the type asked for, or MalformedMessage. */

import { MalformedMessage } from "./errors.js";

const TEXT_MAX = 4_096;

export type Members = Readonly<Record<string, unknown>>;
export type Read<T> = (value: unknown) => T;

export function malformed(problem: string): never {
  throw new MalformedMessage(problem);
}

function shown(value: unknown): string {
  return String(typeof value === "object" ? Object.prototype.toString.call(value) : value).slice(0, 40);
}

/** An integer that a number holds exactly. */
export function integer(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return malformed(`${shown(value)} is no integer within 2^53`);
}

export function count(value: unknown): number {
  const found = integer(value);
  return found >= 0 ? found : malformed(`${found} is negative`);
}

/** A finite number, for rates; never an amount of money. */
export function number(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return malformed(`${shown(value)} is no number`);
}

export function text(value: unknown): string {
  if (typeof value === "string" && value.length <= TEXT_MAX) return value;
  return malformed(`${shown(value)} is no text of at most ${TEXT_MAX} characters`);
}

export function boolean(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  return malformed(`${shown(value)} is neither true nor false`);
}

/** From here on two amounts that differ by a paisa may be the same double. */
const RUPEES_MAX = 2 ** 46;

/** The exact paise of a JSON number of rupees. */
export function paiseOfRupees(value: unknown): number {
  const rupees = number(value);
  if (Math.abs(rupees) >= RUPEES_MAX) return malformed(`${shown(value)} is no amount in rupees`);
  const near = Math.round(rupees * 100);
  const paise = [near, near - 1, near + 1].find((candidate) => candidate / 100 === rupees);
  return paise === undefined ? malformed(`${shown(value)} has parts of a paisa`) : paise + 0;
}

export function optional<T>(read: Read<T>): Read<T | null> {
  return (value) => (value === null || value === undefined ? null : read(value));
}

export function memberOf<T extends string>(names: readonly T[]): Read<T> {
  return (value) => {
    const found = names.find((name) => name === value);
    return found ?? malformed(`${shown(value)} is not one of ${names.join(", ")}`);
  };
}

export function entries(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : malformed("a list was expected");
}

export function listOf<T>(read: Read<T>): Read<T[]> {
  return (value) => entries(value).map(read);
}

/** A list of at least `length` entries: a newer hub may append some. */
export function row(value: unknown, length: number): readonly unknown[] {
  const cells = entries(value);
  return cells.length >= length ? cells : malformed(`a list of ${length} entries was expected`);
}

/** A map. Members that we do not ask for are of a newer hub, and passed over. */
export function members(value: unknown): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  return malformed("a map was expected");
}
