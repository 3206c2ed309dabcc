import { expect, test } from "vitest";
import { expectSameBits } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { openSpace } from "../support/space.ts";

const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 70];

test("first_non_finite: NaN and infinities at every position, and nothing after the end", () => {
  const space = openSpace(1 << 16);
  for (const n of LENGTHS) {
    space.reset();
    // Around the block lies NaN, which must not count.
    const values = new Float32Array(n).fill(3.4028234663852886e38);
    for (let i = 0; i < n; i += 3) values[i] = -(2 ** -149);
    const x = space.vector(n, values);
    expect(space.kernels.first_non_finite(n, x.address), `n = ${n}`).toBe(-1);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (let i = 0; i < n; i++) {
        const spoilt = values.slice();
        spoilt[i] = bad;
        spoilt[n - 1] = bad;
        x.write(spoilt);
        expect(space.kernels.first_non_finite(n, x.address), `${bad} at ${i} of ${n}`).toBe(i);
      }
    }
  }
});

test("largest_magnitude: the largest, NaN and infinities at every position, and nothing after the end", () => {
  const random = randomSource(2);
  const space = openSpace(1 << 16);
  for (const n of LENGTHS) {
    space.reset();
    // Around the block lies NaN, which must not count.
    const values = random.floats(n, -9, 9);
    const x = space.vector(n, values);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(space.kernels.largest_magnitude(n, x.address), `n = ${n}`).toBe(largest);
    for (const [value, expected] of [
      [-10, 10],
      [3.4028234663852886e38, 3.4028234663852886e38],
      [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      [Number.NaN, Number.NaN],
    ]) {
      for (let i = 0; i < n; i++) {
        const changed = values.slice();
        changed[i] = value;
        x.write(changed);
        expect(space.kernels.largest_magnitude(n, x.address), `${value} at ${i} of ${n}`).toBe(expected);
      }
    }
    x.write(new Float32Array(n).fill(-(2 ** -149)));
    expect(space.kernels.largest_magnitude(n, x.address)).toBe(n > 0 ? 2 ** -149 : 0);
  }
});

test("fill: any length, nothing outside", () => {
  const space = openSpace(1 << 16);
  for (const n of LENGTHS) {
    const x = space.vector(n);
    space.kernels.fill(n, x.address, -1.5);
    expectSameBits(x.read(), new Float32Array(n).fill(-1.5), `n = ${n}`);
    expect(x.trespass()).toBeUndefined();
  }
});

test("add: any length, out = x or y, nothing outside", () => {
  const random = randomSource(3);
  const space = openSpace(1 << 16);
  for (const n of LENGTHS) {
    space.reset();
    const [a, b] = [random.floats(n), random.floats(n)];
    const expected = a.map((value, i) => value + b[i]);
    const [x, y, out] = [space.vector(n, a), space.vector(n, b), space.vector(n)];
    for (const to of [out, x]) {
      space.kernels.add(n, x.address, y.address, to.address);
      expectSameBits(to.read(), expected, `n = ${n}`);
      expect(to.trespass()).toBeUndefined();
    }
    x.write(a);
    space.kernels.add(n, x.address, y.address, y.address);
    expectSameBits(y.read(), expected, `out = y, n = ${n}`);
  }
});

test("copy_matrix: any size and leading dimension, pads untouched", () => {
  const random = randomSource(1);
  const space = openSpace(1 << 16);
  for (const rows of [0, 1, 2, 5]) {
    for (const n of LENGTHS) {
      for (const [more, less] of [
        [0, 0],
        [3, 0],
        [0, 5],
        [1, 2],
      ]) {
        space.reset();
        const values = random.floats(rows * n);
        const x = space.matrix(rows, n, n + more, values);
        const y = space.matrix(rows, n, n + less);
        space.kernels.copy_matrix(rows, n, x.address, x.ld, y.address, y.ld);
        expectSameBits(y.read(), values, `${rows} x ${n}`);
        expect(y.trespass()).toBeUndefined();
      }
    }
  }
});
