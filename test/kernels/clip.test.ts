import { expect, test } from "vitest";
import { expectSameBits, expectWithin, U } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { openSpace } from "../support/space.ts";

const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 70, 1001];
const random = randomSource(3);
const space = openSpace(1 << 18);

/** Over and around the block lies NaN, which must not count. */
function block(n: number, scale: number) {
  const values = random.floats(n, -scale, scale);
  return { values, operand: space.vector(n, values) };
}

test("sum_squares: any length, fresh and added to, sums that f32 could not hold", () => {
  for (const n of LENGTHS) {
    for (const scale of [1e-30, 1, 3e38]) {
      space.reset();
      const { values, operand } = block(n, scale);
      const out = space.f64(1);
      const expected = values.reduce((sum, value) => sum + value * value, 0);
      const tolerance = n * 2 ** -52 * expected;
      space.kernels.sum_squares(n, operand.address, out.byteOffset, 0);
      expect(Math.abs(out[0] - expected), `n = ${n}`).toBeLessThanOrEqual(tolerance);
      const fresh = out[0];
      out[0] = 0.5;
      space.kernels.sum_squares(n, operand.address, out.byteOffset, 1);
      expect(out[0]).toBe(fresh + 0.5);
      expectSameBits(operand.read(), values);
    }
  }
});

test("clip_norm: scales down to the limit, and nothing that is within it", () => {
  for (const n of LENGTHS) {
    space.reset();
    const { values, operand } = block(n, 2);
    const sum = space.f64(1).fill(values.reduce((total, value) => total + value * value, 0));
    const norm = Math.sqrt(sum[0]);
    space.kernels.clip_norm(n, operand.address, sum.byteOffset, norm + 1e-5);
    expectSameBits(operand.read(), values, `n = ${n}, within`);
    const limit = norm / 3;
    space.kernels.clip_norm(n, operand.address, sum.byteOffset, limit);
    // The factor is rounded to f32, then each product.
    const expected = Float64Array.from(values, (value) => (value * limit) / (norm + 1e-6));
    expectWithin(operand.read(), expected, (i) => 2.01 * U * Math.abs(expected[i]), `n = ${n}`);
    expect(operand.trespass()).toBeUndefined();
  }
});

test("clip_value: within the limit on both sides", () => {
  for (const n of LENGTHS) {
    space.reset();
    const { values, operand } = block(n, 2);
    space.kernels.clip_value(n, operand.address, 0.75);
    expectSameBits(
      operand.read(),
      values.map((value) => Math.max(-0.75, Math.min(0.75, value))),
      `n = ${n}`,
    );
    expect(operand.trespass()).toBeUndefined();
  }
});
