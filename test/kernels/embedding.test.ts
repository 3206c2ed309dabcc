import { expect, test } from "vitest";
import { expectSameBits, expectWithin, gamma } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { openSpace } from "../support/space.ts";

const VOCABULARY = 7;

test("gather_rows and scatter_rows: any size and leading dimension, nothing outside", () => {
  const random = randomSource(1);
  const space = openSpace(1 << 18);
  for (const rows of [0, 1, 5, 40]) {
    for (const n of [1, 2, 3, 4, 5, 8, 13, 17]) {
      space.reset();
      const what = `${rows} x ${n}`;
      const picked = Array.from({ length: rows }, () => random.integer(VOCABULARY));
      const values = random.floats(VOCABULARY * n);
      // The indices stand in the second column of three.
      const index = space.matrix(
        rows,
        3,
        5,
        picked.flatMap((i) => [Number.NaN, i, Number.NaN]),
      );
      const table = space.matrix(VOCABULARY, n, n + 1, values);
      const y = space.matrix(rows, n, n + 2);
      const { gather_rows, scatter_rows } = space.kernels;
      gather_rows(rows, n, index.address + 4, index.ld, table.address, table.ld, y.address, y.ld);
      const expected = picked.flatMap((i) => [...values.subarray(i * n, i * n + n)]);
      expectSameBits(y.read(), Float32Array.from(expected), what);
      expect(y.trespass(), what).toBeUndefined();

      const gradient = random.floats(rows * n);
      const dy = space.matrix(rows, n, n + 1, gradient);
      scatter_rows(rows, n, index.address + 4, index.ld, dy.address, dy.ld, table.address, table.ld);
      const sums = Float64Array.from(values);
      const sizes = sums.map(Math.abs);
      gradient.forEach((value, at) => {
        const to = picked[Math.floor(at / n)] * n + (at % n);
        sums[to] += value;
        sizes[to] += Math.abs(value);
      });
      expectWithin(table.read(), sums, (at) => gamma(rows) * sizes[at], what);
      expect(table.trespass(), what).toBeUndefined();
    }
  }
});

test("scatter_rows: a column's bits do not depend on how columns are divided", () => {
  const random = randomSource(2);
  const space = openSpace(1 << 16);
  const index = space.vector(
    30,
    Array.from({ length: 30 }, () => random.integer(VOCABULARY)),
  );
  const dy = space.matrix(30, 40, 40, random.floats(1200));
  const [whole, cut] = [0, 1].map(() => space.matrix(VOCABULARY, 40, 40, new Float32Array(VOCABULARY * 40)));
  space.kernels.scatter_rows(30, 40, index.address, 1, dy.address, 40, whole.address, 40);
  for (const [first, n] of [
    [0, 16],
    [16, 24],
  ]) {
    space.kernels.scatter_rows(30, n, index.address, 1, dy.address + 4 * first, 40, cut.address + 4 * first, 40);
  }
  expectSameBits(cut.read(), whole.read());
});
