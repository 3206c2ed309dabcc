import { expect, test } from "vitest";
import { columnSums } from "../reference/gemm.ts";
import { expectWithin, gamma } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { openSpace } from "../support/space.ts";

const SIZES: [number, number, number][] = [
  [1000, 33, 36],
  [257, 100, 100],
  [3, 1024, 1027],
];
for (let rows = 0; rows <= 9; rows++) for (let n = 0; n <= 37; n++) SIZES.push([rows, n, n + ((rows + n) % 5)]);

test("column_sums: any size, overwriting and accumulating, NaN in the pads, nothing outside", () => {
  const random = randomSource(1);
  const space = openSpace(1 << 20);
  for (const [rows, n, ld] of SIZES) {
    space.reset();
    const what = `${rows} x ${n}, ld ${ld}`;
    const values = random.floats(rows * n);
    const before = random.floats(n, -9, 9);
    const x = space.matrix(rows, n, ld, values);
    const { value, magnitude } = columnSums(rows, n, values);

    const fresh = space.vector(n);
    space.kernels.column_sums(rows, n, x.address, ld, fresh.address, 0);
    expectWithin(fresh.read(), value, (j) => gamma(rows) * magnitude[j], what);
    expect(fresh.trespass(), what).toBeUndefined();

    const added = space.vector(n, before);
    space.kernels.column_sums(rows, n, x.address, ld, added.address, 1);
    const total = value.map((sum, j) => sum + before[j]);
    expectWithin(added.read(), total, (j) => gamma(rows + 1) * (magnitude[j] + Math.abs(before[j])), what);
    expect(added.trespass(), what).toBeUndefined();
  }
});

test("column_sums: NaN spoils its column alone", () => {
  const space = openSpace(1 << 16);
  for (const column of [0, 7, 16, 20]) {
    const values = new Float32Array(63).fill(1);
    values[21 + column] = Number.NaN;
    const out = space.vector(21);
    space.kernels.column_sums(3, 21, space.matrix(3, 21, 21, values).address, 21, out.address, 0);
    expect(Array.from(out.read())).toEqual(Array.from({ length: 21 }, (_, j) => (j === column ? Number.NaN : 3)));
  }
});
