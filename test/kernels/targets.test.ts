import { expect, test } from "vitest";
import { expectWithin } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { openSpace } from "../support/space.ts";

const ROWS = [0, 1, 2, 7];
const COLUMNS = [1, 2, 3, 4, 5, 8, 10, 17];

/** One rounding to f32 of a sum that is made in f64. */
const oneRounding = (expected: Float64Array) => (i: number) => 2 ** -24 * (1 + 1e-6) * Math.abs(expected[i]);

/** (1 - epsilon) t + epsilon / n in f64; epsilon 0 must leave t as it is. */
const smoothed = (targets: Float32Array, n: number, epsilon: number): Float64Array =>
  Float64Array.from(targets, (t) => (1 - epsilon) * t + epsilon / n);

test.each([0, 0.1, 0.75])("smooth_labels and smooth_rows, epsilon %d: any size, pads untouched", (epsilon) => {
  const random = randomSource(1);
  const space = openSpace(1 << 16);
  for (const rows of ROWS) {
    for (const n of COLUMNS) {
      space.reset();
      const what = `${rows} x ${n}`;
      const labels = Array.from({ length: rows }, () => random.integer(n));
      const hot = new Float32Array(rows * n);
      labels.forEach((label, i) => {
        hot[i * n + label] = 1;
      });
      const y = space.matrix(rows, n, n + 3);
      space.kernels.smooth_labels(rows, n, space.i32(labels).byteOffset, y.address, y.ld, epsilon);
      const expected = smoothed(hot, n, epsilon);
      expectWithin(y.read(), expected, oneRounding(expected), what);
      expect(y.trespass(), what).toBeUndefined();

      const targets = random.floats(rows * n, 0, 1);
      const x = space.matrix(rows, n, n + 1, targets);
      const out = space.matrix(rows, n, n + 2);
      space.kernels.smooth_rows(rows, n, x.address, x.ld, out.address, out.ld, epsilon);
      const soft = smoothed(targets, n, epsilon);
      expectWithin(out.read(), soft, oneRounding(soft), what);
      expect(out.trespass(), what).toBeUndefined();

      // In place.
      space.kernels.smooth_rows(rows, n, x.address, x.ld, x.address, x.ld, epsilon);
      expectWithin(x.read(), soft, oneRounding(soft), what);
      expect(x.trespass(), what).toBeUndefined();
    }
  }
});
