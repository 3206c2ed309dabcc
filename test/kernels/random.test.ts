import { expect, test } from "vitest";
import { normalCdf } from "../reference/activations.ts";
import { philox, philoxFill } from "../reference/philox.ts";
import { expectSameBits, expectWithin, U } from "../support/bounds.ts";
import { LONG } from "../support/long.ts";
import { openSpace, type TestSpace } from "../support/space.ts";

type Place = [seedLow: number, seedHigh: number, purpose: number, stream: number, index: number];

const PLACES: Place[] = [
  [0, 0, 0, 0, 0],
  [42, 0, 1, 2, 3],
  [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
  [0xa4093822, 0x299f31d0, 0x03707344, 0x13198a2e, 0x85a308d3],
];

const N = LONG ? 1 << 22 : 1 << 17;

/** Words first..first+n-1, with guard cells checked. */
function words(space: TestSpace, n: number, place: Place, first = 0): Uint32Array {
  const out = space.vector(n);
  space.kernels.philox_u32(n, out.address, ...place, first);
  expect(out.trespass()).toBeUndefined();
  return new Uint32Array(out.read().buffer);
}

function uniform(space: TestSpace, n: number, place: Place, low: number, high: number): Float32Array {
  const out = space.vector(n);
  space.kernels.philox_uniform(n, out.address, ...place, low, high);
  expect(out.trespass()).toBeUndefined();
  return out.read();
}

function normal(space: TestSpace, n: number, place: Place, mean: number, deviation: number): Float32Array {
  const out = space.vector(n);
  space.kernels.philox_normal(n, out.address, ...place, mean, deviation);
  expect(out.trespass()).toBeUndefined();
  return out.read();
}

test("philox_u32 has the known answers of Random123", () => {
  const space = openSpace(1 << 16);
  const hex = (values: Uint32Array): string => Array.from(values, (x) => x.toString(16).padStart(8, "0")).join(" ");
  expect(hex(words(space, 4, [0, 0, 0, 0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  // Counter (block, index, stream, purpose) = (243f6a88, 85a308d3, 13198a2e, 03707344).
  expect(hex(words(space, 4, PLACES[3], 4 * 0x243f6a88))).toBe("d16cfe09 94fdcceb 5001e420 24126ea1");
});

test("philox_u32 is the reference's sequence at any place and length", () => {
  const space = openSpace(1 << 16);
  for (const place of PLACES) {
    for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 70]) {
      space.reset();
      expect(words(space, n, place)).toEqual(philoxFill(n, ...place));
    }
  }
  expect(words(space, 4, PLACES[1], 4 * 0x3fffffff)).toEqual(
    Uint32Array.from(philox([0x3fffffff, PLACES[1][4], PLACES[1][3], PLACES[1][2]], [PLACES[1][0], PLACES[1][1]])),
  );
});

test("philox_u32 does not depend on how a fill is cut", () => {
  const space = openSpace(1 << 18);
  const whole = words(space, 100, PLACES[1]);
  for (let first = 0; first <= 40; first++) {
    for (const n of [1, 2, 3, 4, 5, 16, 19, 33]) {
      expect(words(space, n, PLACES[1], first), `${first}, ${n}`).toEqual(whole.subarray(first, first + n));
    }
  }
});

test("shorter uniform and normal fills are beginnings of longer ones", () => {
  const space = openSpace(1 << 18);
  for (const fill of [uniform, normal]) {
    const whole = fill(space, 100, PLACES[1], -1, 2);
    for (let n = 0; n <= 40; n++) expectSameBits(fill(space, n, PLACES[1], -1, 2), whole.subarray(0, n), `${n}`);
  }
});

test("philox_uniform is low + (high - low) * (word >> 8) / 2^24", () => {
  const space = openSpace(1 << 18);
  for (const place of PLACES) {
    const expected = Float32Array.from(philoxFill(1001, ...place), (word) => (word >>> 8) * 2 ** -24);
    expectSameBits(uniform(space, 1001, place, 0, 1), expected);
    const scaled = Float64Array.from(expected, (x) => -3 + 4.5 * x);
    expectWithin(uniform(space, 1001, place, -3, 1.5), scaled, () => 2 * 4.5 * U);
  }
});

test("philox_uniform stays in [low, high), also where rounding would reach high", () => {
  const space = openSpace(4 * N + 4096);
  const ranges = [
    [0, 1],
    [-0.1, 0.1],
    [1, 1 + 2 ** -22],
    [-1 - 2 ** -22, -1],
    [-1, 0],
    [1e6, 1e6 + 0.25],
    [-1e-3, 1e3],
  ];
  for (const [low, high] of ranges) {
    space.reset();
    const values = uniform(space, N, [7, 0, 0, 0, 0], low, high);
    const [from, to] = [Math.fround(low), Math.fround(high)];
    const outside = values.find((x) => !(x >= from && x < to));
    expect(outside, `[${low}, ${high})`).toBeUndefined();
  }
  expect(Array.from(uniform(space, 3, PLACES[1], 2.5, 2.5))).toEqual([2.5, 2.5, 2.5]);
});

test("philox_normal is Box-Muller of the words", () => {
  const space = openSpace(1 << 18);
  for (const place of PLACES) {
    const n = 2001;
    const source = philoxFill(n + 1, ...place);
    const radius = (i: number): number => Math.sqrt(-2 * Math.log((source[i & ~1] + 0.5) / 2 ** 32));
    const expected = Float64Array.from({ length: n }, (_, i) => {
      const angle = 2 * Math.PI * (source[i | 1] >>> 8) * 2 ** -24;
      return 0.25 + 2 * radius(i) * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    });
    // r^2 = -2 log u: u is rounded twice (4 U absolute in r^2) and log is off by an ulp; where r is near 0 its root
    // magnifies that. Sine, cosine and the products add a few roundings of r.
    const bound = (i: number): number => {
      const r = radius(i);
      const square = 6 * U + 4 * U * r * r;
      return 2 * (square / Math.max(r, Math.sqrt(square)) + 8 * U * r) + 2 * U * (Math.abs(expected[i]) + 0.25);
    };
    expectWithin(normal(space, n, place, 0.25, 2), expected, bound);
  }
});

/** Moments and the Kolmogorov-Smirnov distance, each within 5 standard errors; a right generator fails once in 10^6. */
function checkDistribution(
  values: Float32Array,
  mean: number,
  variance: number,
  kurtosis: number,
  cdf: (x: number) => number,
) {
  const n = values.length;
  const average = values.reduce((sum, x) => sum + x, 0) / n;
  expect(Math.abs(average - mean)).toBeLessThan(5 * Math.sqrt(variance / n));
  const spread = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
  expect(Math.abs(spread - variance)).toBeLessThan(5 * variance * Math.sqrt((kurtosis - 1) / n));
  const lag = values.subarray(1).reduce((sum, x, i) => sum + (x - mean) * (values[i] - mean), 0) / n;
  expect(Math.abs(lag)).toBeLessThan((5 * variance) / Math.sqrt(n));
  const sorted = values.slice().sort();
  const distance = sorted.reduce((most, x, i) => {
    const p = cdf(x);
    return Math.max(most, Math.abs(p - i / n), Math.abs(p - (i + 1) / n));
  }, 0);
  // P(sqrt(n) D > x) is about 2 exp(-2 x^2): 1e-6 at 2.7. Source: Kolmogorov 1933.
  expect(distance).toBeLessThan(2.7 / Math.sqrt(n));
}

test.each(PLACES)("philox_uniform is uniform at seed %i, %i, purpose %i, stream %i, index %i", (...place) => {
  const space = openSpace(4 * N + 4096);
  checkDistribution(uniform(space, N, place, -1, 3), 1, 16 / 12, 1.8, (x) => (x + 1) / 4);
});

test.each(PLACES)("philox_normal is normal at seed %i, %i, purpose %i, stream %i, index %i", (...place) => {
  const space = openSpace(4 * N + 4096);
  const values = normal(space, N, place, -1, 0.5);
  checkDistribution(values, -1, 0.25, 3, (x) => normalCdf((x + 1) / 0.5));
  // Not truncated: the largest of n is beyond 3.5 deviations.
  expect(values.reduce((most, x) => Math.max(most, Math.abs(x + 1)), 0)).toBeGreaterThan(3.5 * 0.5);
});

test("streams, purposes, indices and seeds are independent", () => {
  const space = openSpace(1 << 20);
  const n = 10_000;
  const base: Place = [5, 6, 7, 8, 9];
  const first = uniform(space, n, base, -1, 1);
  for (let part = 0; part < 5; part++) {
    const place: Place = [...base];
    place[part]++;
    const second = uniform(space, n, place, -1, 1);
    const covariance = first.reduce((sum, x, i) => sum + x * second[i], 0) / n;
    expect(Math.abs(covariance)).toBeLessThan(5 / 3 / Math.sqrt(n));
  }
});
