import { expect, test } from "vitest";
import { philoxFill } from "../reference/philox.ts";
import { expectSameBits } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { openSpace } from "../support/space.ts";

type Place = [seedLow: number, seedHigh: number, purpose: number, stream: number, index: number];

const PLACES: Place[] = [
  [0, 0, 3, 0, 1],
  [0xffffffff, 7, 3, 12, 0xffffffff],
];

/** Elements first..first+n-1 of x dropped: f32 multiplies exactly as Math.fround of the f64 product says. */
function twin(x: Float32Array, first: number, place: Place, rate: number, scale: number): Float32Array {
  const words = philoxFill(first + x.length, ...place).subarray(first);
  return x.map((value, i) => ((words[i] >>> 8) * 2 ** -24 >= Math.fround(rate) ? value * Math.fround(scale) : 0));
}

test("dropout: the reference's mask at any length and position, y = x, nothing outside", () => {
  const random = randomSource(1);
  const space = openSpace(1 << 16);
  for (const place of PLACES) {
    for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 70]) {
      for (const first of [0, 4, 12, 64]) {
        space.reset();
        const values = random.floats(n);
        const [x, y] = [space.vector(n, values), space.vector(n)];
        const expected = twin(values, first, place, 0.3, 1 / 0.7);
        space.kernels.dropout(n, x.address, y.address, first, ...place, 0.3, 1 / 0.7);
        expectSameBits(y.read(), expected, `n = ${n}, first = ${first}`);
        expect(y.trespass()).toBeUndefined();
        space.kernels.dropout(n, x.address, x.address, first, ...place, 0.3, 1 / 0.7);
        expectSameBits(x.read(), expected, `y = x, n = ${n}, first = ${first}`);
      }
    }
  }
});

test("dropout does not depend on how a buffer is cut", () => {
  const space = openSpace(1 << 18);
  const values = randomSource(2).floats(200);
  const x = space.vector(200, values);
  const [whole, cut] = [space.vector(200), space.vector(200)];
  space.kernels.dropout(200, x.address, whole.address, 0, ...PLACES[1], 0.5, 2);
  for (let first = 0; first < 200; first += 64) {
    const n = Math.min(64, 200 - first);
    space.kernels.dropout(n, x.address + 4 * first, cut.address + 4 * first, first, ...PLACES[1], 0.5, 2);
  }
  expectSameBits(cut.read(), whole.read());
});

test("dropout drops the share of its rate, neighbours and rows independent", () => {
  const n = 1 << 18;
  const space = openSpace(2 * 4 * n + 4096);
  const x = space.vector(n, new Float32Array(n).fill(1));
  const y = space.vector(n);
  for (const rate of [2 ** -24, 0.1, 0.5, 0.9, 1 - 2 ** -24]) {
    space.kernels.dropout(n, x.address, y.address, 0, ...PLACES[0], rate, 1);
    const kept = y.read();
    const variance = rate * (1 - rate);
    // Six standard errors and, where hardly any is dropped or kept, one element.
    const margin = (m: number): number => 6 * Math.sqrt(m / n) + 1 / n;
    expect(Math.abs(kept.reduce((sum, value) => sum + value, 0) / n - (1 - rate)), `${rate}`).toBeLessThan(
      margin(variance),
    );
    for (const lag of [1, 4, 512]) {
      let covariance = 0;
      for (let i = lag; i < n; i++) covariance += (kept[i] - 1 + rate) * (kept[i - lag] - 1 + rate);
      expect(Math.abs(covariance / n), `${rate}, lag ${lag}`).toBeLessThan(margin(variance * variance));
    }
  }
});
