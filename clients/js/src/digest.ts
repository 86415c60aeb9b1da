/**
 * The check sum with which a client proves that it holds what the hub holds. Pure.
 * The sum modulo 2^32 of one term a scrip: order does not matter.
 */

const PRIME = 0x01000193;
const FINISH = 0x85ebca6b;
const HALF = 0x100000000;

/** A scrip code, and the epoch and sequence held of it (0, 0 without a quote). */
export type HeldAt = readonly [code: number, epoch: number | bigint, sequence: number];

function term([code, epoch, sequence]: HeldAt): number {
  const [high, low] =
    typeof epoch === "bigint"
      ? [Number(epoch >> 32n), Number(epoch & 0xffffffffn)]
      : [Math.floor(epoch / HALF), epoch % HALF];
  let h = code >>> 0;
  h = Math.imul(h, PRIME) ^ high;
  h = Math.imul(h, PRIME) ^ low;
  h = Math.imul(h, PRIME) ^ (sequence % HALF);
  h = Math.imul(h ^ (h >>> 15), FINISH);
  return (h ^ (h >>> 13)) >>> 0;
}

/** The check sum of a set, an unsigned 32-bit number. */
export function digest(positions: Iterable<HeldAt>): number {
  let sum = 0;
  for (const position of positions) sum = (sum + term(position)) >>> 0;
  return sum;
}
