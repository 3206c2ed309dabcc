// Philox 4x32-10. Source: Salmon, Moraes, Dror, Shaw 2011, Parallel random numbers: as easy as 1, 2, 3.

export type Words4 = [number, number, number, number];

/** High 32 bits of the 64-bit product of two u32. */
const multiplyHigh = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) >> 32n);

export function philox(counter: Words4, key: [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Words first..first+n-1 of the project's fill: word i is word i % 4 at counter (floor(i / 4), index, stream, purpose). */
export function philoxFill(
  n: number,
  seedLow: number,
  seedHigh: number,
  purpose: number,
  stream: number,
  index: number,
  first = 0,
): Uint32Array {
  const out = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const at = first + i;
    out[i] = philox([Math.floor(at / 4), index, stream, purpose], [seedLow, seedHigh])[at % 4];
  }
  return out;
}
