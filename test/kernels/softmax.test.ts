import { expect, test } from "vitest";
import { softmax, softmaxBackward } from "../reference/activations.ts";
import { expectSameBits, expectWithin, TINY, U } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { openSpace } from "../support/space.ts";

const SIZES: [number, number][] = [];
for (const rows of [0, 1, 2, 5]) {
  for (const n of [1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 33, 100, 1000]) SIZES.push([rows, n]);
}

/** Error of softmax: x - max is rounded (its size times U, in the exponent), exp (2 U), the sum's scale and the
 *  product; below the normal range the spacing is absolute. */
function softmaxBound(rows: number, n: number, x: Float32Array, y: Float64Array): (index: number) => number {
  const largest = Array.from({ length: rows }, (_, i) => Math.max(...x.subarray(i * n, (i + 1) * n)));
  return (at) => {
    const distance = Math.min(largest[Math.floor(at / n)] - x[at], 104);
    return (distance + 8) * U * y[at] + 2 ** -148;
  };
}

test.each([1, 30, 1e4])("softmax: any size, logits of +-%f, in place, nothing outside", (size) => {
  const random = randomSource(size);
  const space = openSpace(1 << 20);
  for (const [rows, n] of SIZES) {
    space.reset();
    const values = random.floats(rows * n, -size, size);
    const expected = softmax(rows, n, values);
    const x = space.matrix(rows, n, n + 3, values);
    const y = space.matrix(rows, n, n + 1);
    space.kernels.softmax(rows, n, x.address, x.ld, y.address, y.ld);
    const actual = y.read();
    expectWithin(actual, expected, softmaxBound(rows, n, values, expected), `${rows} x ${n}`);
    expect(y.trespass()).toBeUndefined();
    space.kernels.softmax(rows, n, x.address, x.ld, x.address, x.ld);
    expectSameBits(x.read(), actual, `in place, ${rows} x ${n}`);
    expect(x.trespass()).toBeUndefined();
  }
});

test("softmax: logits of +-1e4 beside each other, equal logits, NaN stays in its row", () => {
  const space = openSpace(1 << 16);
  const values = [1e4, -1e4, 0, -1e4, -1e4, -1e4, 1e4, 1e4, 1e4, 1, Number.NaN, 2];
  const y = space.matrix(4, 3, 4);
  space.kernels.softmax(4, 3, space.matrix(4, 3, 3, values).address, 3, y.address, 4);
  const [third, nan] = [Math.fround(1 / 3), Number.NaN];
  expect(Array.from(y.read())).toEqual([1, 0, 0, third, third, third, third, third, third, nan, nan, nan]);
});

test("softmax_backward: any size, dx = dy, nothing outside", () => {
  const random = randomSource(3);
  const space = openSpace(1 << 20);
  for (const [rows, n] of SIZES) {
    space.reset();
    const saved = Float32Array.from(softmax(rows, n, random.floats(rows * n, -5, 5)));
    const gradient = random.floats(rows * n);
    const expected = softmaxBackward(rows, n, saved, gradient);
    const y = space.matrix(rows, n, n + 2, saved);
    const dy = space.matrix(rows, n, n + 1, gradient);
    const dx = space.matrix(rows, n, n + 3);
    space.kernels.softmax_backward(rows, n, y.address, y.ld, dy.address, dy.ld, dx.address, dx.ld);
    const actual = dx.read();
    // The dot product's terms, its rounding, the difference and the product, of |dy| <= 1.
    const bound = (at: number): number => {
      const row = Math.floor(at / n) * n;
      let dot = 0;
      for (let j = row; j < row + n; j++) dot += Math.abs(saved[j] * gradient[j]);
      return saved[at] * (3 * U * Math.abs(gradient[at]) + 5 * U * dot) + TINY;
    };
    expectWithin(actual, expected, bound, `${rows} x ${n}`);
    expect(dx.trespass()).toBeUndefined();
    space.kernels.softmax_backward(rows, n, y.address, y.ld, dy.address, dy.ld, dy.address, dy.ld);
    expectSameBits(dy.read(), actual, `dx = dy, ${rows} x ${n}`);
    expect(dy.trespass()).toBeUndefined();
  }
});
