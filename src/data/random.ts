// Random orders for splits: the kernels' generator, Philox 4x32-10, in TypeScript, so that this entry needs no kernels.
// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
import { PURPOSE_SPLIT, seedWords } from "../numerics.ts";

/** Word i of the sequence that belongs to a seed and an index, as the kernels' philox_u32 gives it. */
export function randomWords(seed: number, index: number): (i: number) => number {
  const [low, high] = seedWords(seed);
  const block = new Uint32Array(4);
  let held = -1;
  return (i) => {
    const wanted = Math.floor(i / 4);
    if (wanted !== held) philox(block, wanted, index, low, high);
    held = wanted;
    return block[i % 4];
  };
}

function philox(block: Uint32Array, counter: number, index: number, low: number, high: number): void {
  let [c0, c1, c2, c3] = [counter, index, 0, PURPOSE_SPLIT];
  for (let round = 0; round < 10; round++) {
    const a = highWord(0xd2511f53, c0);
    const b = highWord(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [b ^ c1 ^ low, Math.imul(0xcd9e8d57, c2), a ^ c3 ^ high, Math.imul(0xd2511f53, c0)];
    low = (low + 0x9e3779b9) | 0;
    high = (high + 0xbb67ae85) | 0;
  }
  block.set([c0, c1, c2, c3]);
}

/** The upper 32 bits of a product, from products of 16 bits, which are exact in f64. */
function highWord(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle % 0x10000);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000);
}

/** Puts a list in an order that belongs to the seed and the index alone (Fisher-Yates). */
export function shuffled<T>(list: readonly T[], seed: number, index = 0): T[] {
  const order = [...list];
  const word = randomWords(seed, index);
  for (let i = 0; i + 1 < order.length; i++) {
    const j = i + Math.floor((word(i) / 2 ** 32) * (order.length - i));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
