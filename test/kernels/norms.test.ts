import { expect, test } from "vitest";
import {
  type Axis,
  means,
  type Normalized,
  normalize,
  normalizeBackward,
  parameterGradients,
  scaleShift,
} from "../reference/norms.ts";
import { expectSameBits, expectWithin, TINY, U } from "../support/bounds.ts";
import { randomSource } from "../support/random.ts";
import { type Operand, openSpace, type TestSpace } from "../support/space.ts";

const EPSILON = 1e-5;
const SIZES: [rows: number, n: number][] = [
  [300, 3],
  [2, 517],
  [128, 64],
];
for (let rows = 2; rows <= 9; rows += 3) for (let n = 1; n <= 13; n++) SIZES.push([rows, n]);

const padded = (n: number): number => Math.ceil(n / 4) * 4;
const line = (axis: Axis, at: number, n: number): number => (axis === "row" ? Math.floor(at / n) : at % n);

/** |mean| r + 5 |h| roundings, as the kernels say; 6 for statistics that are given as f32 and for second order. */
const hBound =
  (axis: Axis, n: number, { mean, r, h }: Normalized) =>
  (at: number) => {
    const i = line(axis, at, n);
    return 1.01 * U * (Math.abs(mean[i]) * r[i] + 6 * Math.abs(h[at])) + TINY;
  };

interface Setup {
  readonly values: Float32Array;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly x: Operand;
  readonly g: Operand;
  readonly b: Operand;
  readonly h: Operand;
  readonly y: Operand;
}

function setUp(space: TestSpace, seed: number, rows: number, n: number, mean = 0): Setup {
  const random = randomSource(seed);
  const values = random.floats(rows * n, mean - 2, mean + 2);
  const [gamma, beta] = [random.floats(n, -2, 2), random.floats(n)];
  return {
    values,
    gamma,
    beta,
    x: space.matrix(rows, n, n + 1, values),
    g: space.vector(n, gamma),
    b: space.vector(n, beta),
    h: space.matrix(rows, n, padded(n) + 3),
    y: space.matrix(rows, n, padded(n) + 1),
  };
}

function expectNormalized(axis: Axis, n: number, expected: Normalized, setup: Setup, what: string): void {
  const { gamma, beta, h, y } = setup;
  const bound = hBound(axis, n, expected);
  expectWithin(h.read(), expected.h, bound, `h, ${what}`);
  const scaled = (at: number): number => Math.abs(gamma[at % n]) * (bound(at) + 2 * U * Math.abs(expected.h[at]));
  expectWithin(
    y.read(),
    scaleShift(n, expected.h, gamma, beta),
    (at) => scaled(at) + 2 * U * Math.abs(beta[at % n]) + TINY,
    `y, ${what}`,
  );
  expect(h.trespass(padded(n)), what).toBeUndefined();
  expect(y.trespass(padded(n)), what).toBeUndefined();
}

test.each([0, 100])("layer_norm: any size, mean %i, h = y = x, nothing outside", (mean) => {
  const space = openSpace(1 << 20);
  for (const [rows, n] of SIZES) {
    space.reset();
    const what = `${rows} x ${n}`;
    const setup = setUp(space, 1, rows, n, mean);
    const { x, g, b, h, y } = setup;
    const r = space.vector(rows);
    const { layer_norm } = space.kernels;
    const expected = normalize("row", rows, n, setup.values, EPSILON);
    layer_norm(rows, n, x.address, x.ld, g.address, b.address, EPSILON, r.address, h.address, h.ld, y.address, y.ld);
    expectNormalized("row", n, expected, setup, what);
    expectWithin(r.read(), expected.r, (i) => 4 * U * expected.r[i], `r, ${what}`);
    expect(r.trespass(), what).toBeUndefined();
    const [first, firstH] = [y.read(), h.read()];
    y.write(setup.values);
    layer_norm(rows, n, y.address, y.ld, g.address, b.address, EPSILON, r.address, y.address, y.ld, y.address, y.ld);
    expectSameBits(y.read(), first, `h = y = x, ${what}`);
    h.write(setup.values);
    layer_norm(rows, n, h.address, h.ld, g.address, b.address, EPSILON, r.address, h.address, h.ld, y.address, y.ld);
    expectSameBits(h.read(), firstH, `h = x, ${what}`);
  }
});

test.each([0, 100])("batch_norm in training: any size, mean %i, its statistics, h = x, nothing outside", (mean) => {
  const space = openSpace(1 << 20);
  for (const [rows, n] of SIZES) {
    space.reset();
    const what = `${rows} x ${n}`;
    const setup = setUp(space, 2, rows, n, mean);
    const { x, g, b, h, y } = setup;
    const [m, v, r] = Array.from({ length: 3 }, () => space.vector(n));
    const run = (from: Operand, to: Operand) =>
      space.kernels.batch_norm(
        ...([rows, n, from.address, from.ld, g.address, b.address, EPSILON, m.address, v.address, r.address] as const),
        ...([to.address, to.ld, y.address, y.ld, 1] as const),
      );
    const expected = normalize("column", rows, n, setup.values, EPSILON);
    run(x, h);
    expectNormalized("column", n, expected, setup, what);
    expectWithin(m.read(), expected.mean, (j) => 1.01 * U * Math.abs(expected.mean[j]) + 1e-15 * mean, `mean, ${what}`);
    const unbiased = expected.variance.map((value) => (value * rows) / (rows - 1));
    const shifted = (j: number): number => (U * expected.mean[j]) ** 2;
    expectWithin(v.read(), unbiased, (j) => 4 * U * unbiased[j] + 2 * shifted(j), `variance, ${what}`);
    expectWithin(r.read(), expected.r, (j) => 4 * U * expected.r[j], `r, ${what}`);
    for (const vector of [m, v, r]) expect(vector.trespass(padded(n)), what).toBeUndefined();
    const [first, firstH] = [y.read(), h.read()];
    h.write(setup.values);
    run(h, h);
    expectSameBits(h.read(), firstH, `h = x, ${what}`);
    expectSameBits(y.read(), first, `y, h = x, ${what}`);
  }
});

test("batch_norm by statistics that are given, h = y = x", () => {
  const space = openSpace(1 << 20);
  for (const [rows, n] of [...SIZES, [1, 1], [1, 7], [0, 5]]) {
    space.reset();
    const what = `${rows} x ${n}`;
    const setup = setUp(space, 3, rows, n);
    const { x, g, b, h, y } = setup;
    const random = randomSource(4);
    const given = { mean: random.floats(n), variance: random.floats(n, 0, 3) };
    const [m, v, r] = [space.vector(n, given.mean), space.vector(n, given.variance), space.vector(n)];
    const run = (from: Operand, to: Operand) =>
      space.kernels.batch_norm(
        ...([rows, n, from.address, from.ld, g.address, b.address, EPSILON, m.address, v.address, r.address] as const),
        ...([to.address, to.ld, y.address, y.ld, 0] as const),
      );
    const expected = normalize("column", rows, n, setup.values, EPSILON, given);
    run(x, h);
    expectNormalized("column", n, expected, setup, what);
    expectSameBits(m.read(), given.mean);
    expectSameBits(v.read(), given.variance);
    const first = y.read();
    y.write(setup.values);
    run(y, y);
    expectSameBits(y.read(), first, `h = y = x, ${what}`);
  }
});

test("a column's or row's bits do not depend on how the others are cut off", () => {
  const space = openSpace(1 << 20);
  const { x, g, b, h, y } = setUp(space, 5, 37, 40);
  const [m, v, r] = Array.from({ length: 3 }, () => space.vector(40));
  const columns = (from: number, n: number) =>
    space.kernels.batch_norm(
      ...([37, n, x.address + 4 * from, x.ld, g.address + 4 * from, b.address + 4 * from, EPSILON] as const),
      ...([m.address + 4 * from, v.address + 4 * from, r.address + 4 * from] as const),
      ...([h.address + 4 * from, h.ld, y.address + 4 * from, y.ld, 1] as const),
    );
  columns(0, 40);
  const whole = y.read();
  y.write(new Float32Array(37 * 40));
  for (const [from, n] of [
    [0, 16],
    [16, 16],
    [32, 8],
  ]) {
    columns(from, n);
  }
  expectSameBits(y.read(), whole);
});

test("layer_norm_backward: any size, dx = dy, nothing outside", () => {
  const space = openSpace(1 << 20);
  for (const [rows, n] of SIZES) {
    space.reset();
    const what = `${rows} x ${n}`;
    const { values, gamma, g } = setUp(space, 6, rows, n);
    const exact = normalize("row", rows, n, values, EPSILON);
    const kept = { h: Float32Array.from(exact.h), r: Float32Array.from(exact.r) };
    const [h, r] = [space.matrix(rows, n, n + 2, kept.h), space.vector(rows, kept.r)];
    const gradient = randomSource(7).floats(rows * n);
    const dy = space.matrix(rows, n, padded(n), gradient);
    const dx = space.matrix(rows, n, padded(n) + 2);
    const { layer_norm_backward } = space.kernels;
    layer_norm_backward(rows, n, h.address, h.ld, r.address, g.address, dy.address, dy.ld, dx.address, dx.ld);
    const twin = { h: Float64Array.from(kept.h), r: Float64Array.from(kept.r) };
    const expected = normalizeBackward("row", rows, n, twin, gamma, gradient);
    expectWithin(dx.read(), expected, gradientBound("row", rows, n, twin, gamma, gradient), what);
    expect(dx.trespass(padded(n)), what).toBeUndefined();
    const first = dx.read();
    layer_norm_backward(rows, n, h.address, h.ld, r.address, g.address, dy.address, dy.ld, dy.address, dy.ld);
    expectSameBits(dy.read(), first, `dx = dy, ${what}`);
  }
});

/** 8 r (|g| + mean |g| + |h| mean |g h|) roundings. */
function gradientBound(
  axis: Axis,
  rows: number,
  n: number,
  { h, r }: Pick<Normalized, "h" | "r">,
  gamma: Float32Array,
  dy: Float32Array,
) {
  const size = (at: number): number => Math.abs(dy[at] * gamma[at % n]);
  const mean = means(axis, rows, n, size);
  const slope = means(axis, rows, n, (at) => size(at) * Math.abs(h[at]));
  return (at: number): number => {
    const i = line(axis, at, n);
    return 8 * U * r[i] * (size(at) + mean[i] + Math.abs(h[at]) * slope[i]) + TINY;
  };
}

test.each([1, 0])("batch_norm_backward, training %i: any size, accumulating, parts left out, dx = dy", (training) => {
  const space = openSpace(1 << 20);
  for (const [rows, n] of SIZES) {
    space.reset();
    const what = `${rows} x ${n}`;
    const { values, gamma, g } = setUp(space, 8, rows, n);
    const exact = normalize("column", rows, n, values, EPSILON);
    const twin = { h: Float64Array.from(exact.h, Math.fround), r: Float64Array.from(exact.r, Math.fround) };
    const [h, r] = [space.matrix(rows, n, n + 2, twin.h), space.vector(n, twin.r)];
    const random = randomSource(9);
    const [gradient, before] = [random.floats(rows * n), random.floats(n)];
    const dy = space.matrix(rows, n, padded(n), gradient);
    const dx = space.matrix(rows, n, padded(n) + 2);
    const run = (dgamma: number, dbeta: number, acc: number, to: number, ld: number) =>
      space.kernels.batch_norm_backward(
        ...([rows, n, h.address, h.ld, dy.address, dy.ld, g.address, r.address, dgamma, dbeta, acc] as const),
        ...([to, ld, training] as const),
      );

    const [dgamma, dbeta] = [space.vector(n), space.vector(n)];
    run(dgamma.address, dbeta.address, 0, dx.address, dx.ld);
    const expected = parameterGradients(n, twin.h, gradient);
    const size = parameterGradients(n, twin.h.map(Math.abs), gradient.map(Math.abs));
    expectWithin(dgamma.read(), expected.dgamma, (j) => 2 * U * size.dgamma[j] + TINY, `dgamma, ${what}`);
    expectWithin(dbeta.read(), expected.dbeta, (j) => 2 * U * size.dbeta[j] + TINY, `dbeta, ${what}`);
    const wanted = normalizeBackward("column", rows, n, twin, gamma, gradient, training === 0);
    expectWithin(dx.read(), wanted, gradientBound("column", rows, n, twin, gamma, gradient), `dx, ${what}`);
    for (const vector of [dgamma, dbeta]) expect(vector.trespass(), what).toBeUndefined();
    expect(dx.trespass(padded(n)), what).toBeUndefined();

    const first = dx.read();
    run(0, 0, 0, dy.address, dy.ld);
    expectSameBits(dy.read(), first, `dx = dy, ${what}`);
    dy.write(gradient);
    const [addedGamma, addedBeta] = [space.vector(n, before), space.vector(n, before)];
    run(addedGamma.address, addedBeta.address, 1, 0, 0);
    const sum = (a: Float32Array): Float32Array => a.map((value, j) => value + before[j]);
    expectSameBits(addedGamma.read(), sum(dgamma.read()), `dgamma added, ${what}`);
    expectSameBits(addedBeta.read(), sum(dbeta.read()), `dbeta added, ${what}`);
    for (const vector of [addedGamma, addedBeta]) expect(vector.trespass(), what).toBeUndefined();
  }
});

test("moving_average: PyTorch's momentum; what is not finite does not enter", () => {
  const space = openSpace(1 << 12);
  const average = space.vector(6, [1, -2, 3, 0, 5, 3e38]);
  const x = space.vector(6, [2, 2, Number.NaN, Number.POSITIVE_INFINITY, -5, 3e38]);
  space.kernels.moving_average(6, average.address, x.address, 0.25);
  expectWithin(average.read(), [1.25, -1, 3, 0, 2.5, 3e38], (i) => (i === 5 ? 3e38 * 2 * U : 0));
  space.kernels.moving_average(2, average.address, x.address, 1);
  expect(Array.from(average.read().subarray(0, 3))).toEqual([2, 2, 3]);
  expect(average.trespass()).toBeUndefined();
});
