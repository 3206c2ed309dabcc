import { expect, test } from "vitest";
import { randomSource } from "../support/random.ts";
import { openSpace } from "../support/space.ts";

const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 33];

const firstLargest = (row: Float32Array): number => row.indexOf(Math.max(...row));

function rowsOf(values: Float32Array, n: number): Float32Array[] {
  return Array.from({ length: values.length / n }, (_, i) => values.subarray(i * n, (i + 1) * n));
}

test("argmax and count_correct: the first largest of rows with many ties, NaN in the pads", () => {
  const random = randomSource(1);
  const space = openSpace(1 << 18);
  for (const n of COLUMNS) {
    for (const rows of [0, 1, 2, 13]) {
      space.reset();
      // Few different values: ties in nearly every row.
      const values = Float32Array.from({ length: rows * n }, () => random.integer(4) - 5);
      const targets = Float32Array.from({ length: rows * n }, () => random.integer(3));
      const expected = rowsOf(values, n).map(firstLargest);
      const x = space.matrix(rows, n, n + 3, values);
      const t = space.matrix(rows, n, n + 1, targets);
      const out = space.i32(new Int32Array(rows + 1).fill(-7));
      space.kernels.argmax(rows, n, x.address, x.ld, out.byteOffset);
      expect(Array.from(out), `${rows} x ${n}`).toEqual([...expected, -7]);

      const labels = expected.map((j, i) => (i % 3 === 0 ? (j + 1) % n : j));
      const right = labels.filter((j, i) => j === expected[i]).length;
      expect(space.kernels.count_correct(rows, n, x.address, x.ld, space.i32(labels).byteOffset)).toBe(right);

      const agree = rowsOf(targets, n).filter((row, i) => firstLargest(row) === expected[i]).length;
      expect(space.kernels.count_correct_dense(rows, n, x.address, x.ld, t.address, t.ld)).toBe(agree);
    }
  }
});

test("argmax: infinities, zeros of both signs, and one large value at every position", () => {
  const space = openSpace(1 << 18);
  const argmax = (values: number[]): number => {
    const out = space.i32([-7]);
    space.kernels.argmax(1, values.length, space.vector(values.length, values).address, values.length, out.byteOffset);
    return out[0];
  };
  const infinity = Number.POSITIVE_INFINITY;
  expect(argmax([-infinity, -infinity, -infinity])).toBe(0);
  expect(argmax([-infinity, -3e38, -infinity])).toBe(1);
  expect(argmax([1, infinity, infinity, 2, 3])).toBe(1);
  expect(argmax([-0, 0])).toBe(0);
  expect(argmax([-1, -(2 ** -149), -1, -1, -(2 ** -149)])).toBe(1);
  for (let i = 0; i < 19; i++) expect(argmax(new Array(19).fill(0).fill(1, i))).toBe(i);
});

test("count_correct_binary: every element on its side of the threshold", () => {
  const random = randomSource(2);
  const space = openSpace(1 << 18);
  for (const n of COLUMNS) {
    for (const rows of [0, 1, 2, 13]) {
      for (const threshold of [0, 0.5]) {
        space.reset();
        const values = Float32Array.from({ length: rows * n }, () => random.pick([-1, 0, 0.25, 0.5, 0.75, 2]));
        const targets = Float32Array.from({ length: rows * n }, () => random.pick([0, 0.5, 0.75, 1]));
        const expected = values.filter((value, i) => value > threshold === targets[i] > 0.5).length;
        const x = space.matrix(rows, n, n + 2, values);
        const t = space.matrix(rows, n, n + 1, targets);
        const count = space.kernels.count_correct_binary(rows, n, x.address, x.ld, t.address, t.ld, threshold);
        expect(count, `${rows} x ${n}`).toBe(expected);
      }
    }
  }
});
