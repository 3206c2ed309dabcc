import { expect, test } from "vitest";
import { gemv, rowMajor } from "../reference/gemm.ts";
import { expectWithin, gamma } from "../support/bounds.ts";
import {
  COMBINATIONS,
  type Combination,
  checkAgainstReference,
  differsFromWhole,
  GemmRunner,
  LAYOUTS,
  type Layout,
  PLAIN,
  type Placement,
  type Problem,
  reference,
} from "../support/gemm.ts";
import { LONG } from "../support/long.ts";
import { type RandomSource, randomSource } from "../support/random.ts";
import { openKernels } from "../support/space.ts";

const PRODUCT = COMBINATIONS[0];
const LARGE = [63, 65, 127, 129, 255, 257, 513];

function problemOf(random: RandomSource, m: number, n: number, k: number): Problem {
  return {
    m,
    n,
    k,
    a: random.floats(m * k),
    b: random.floats(k * n),
    before: random.floats(m * n, -4, 4),
    bias: random.floats(n, -4, 4),
  };
}

/** The part of a problem that uses only the first k of its inner dimension. */
function shortened(problem: Problem, k: number): Problem {
  const a = new Float32Array(problem.m * k);
  for (let i = 0; i < problem.m; i++) a.set(problem.a.subarray(i * problem.k, i * problem.k + k), i * k);
  return { ...problem, k, a, b: problem.b.subarray(0, k * problem.n) };
}

function placement(random: RandomSource): Placement {
  const three = (): [number, number, number] => [random.integer(4), random.integer(4), random.integer(4)];
  return { pads: three(), shifts: three(), padded: random.integer(3) === 0 };
}

const label = (layout: Layout, m: number, n: number, k: number, how: Combination, at: Placement): string =>
  `${layout} ${m} x ${n} x ${k} ${JSON.stringify({ ...how, ...at })}`;

/** The whole problem in every combination: NN checked against the reference, to compare the bits of all others with. */
function wholes(runner: GemmRunner, problem: Problem): Float32Array[] {
  const product = reference(problem);
  return COMBINATIONS.map((how) => {
    const c = runner.run(problem, "nn", problem.m, problem.n, problem.k, how, PLAIN);
    const wrong = checkAgainstReference(problem, product, how, c);
    if (wrong) expect.fail(`${label("nn", problem.m, problem.n, problem.k, how, PLAIN)}: ${wrong}`);
    return c;
  });
}

test.each(LAYOUTS)(
  "%s: all sizes 0 to 33 are within the bound, and an element's bits do not depend on m, n or layout",
  (layout) => {
    const random = randomSource(LAYOUTS.indexOf(layout) + 1);
    const runner = new GemmRunner(openKernels(1 << 18), 33, 33, 33);
    const largest = problemOf(random, 33, 33, 33);
    const each = LONG ? COMBINATIONS.map((_, i) => i) : undefined;
    for (let k = 0; k <= 33; k++) {
      const problem = shortened(largest, k);
      const whole = wholes(runner, problem);
      for (let m = 0; m <= 33; m++) {
        for (let n = 0; n <= 33; n++) {
          for (const index of each ?? [random.integer(COMBINATIONS.length), random.integer(COMBINATIONS.length)]) {
            const how = COMBINATIONS[index];
            const at = placement(random);
            const c = runner.run(problem, layout, m, n, k, how, at);
            const wrong = differsFromWhole(c, m, n, whole[index], 33);
            if (wrong) expect.fail(`${label(layout, m, n, k, how, at)}: ${wrong}`);
          }
        }
      }
    }
  },
);

/** All sizes around the blocks for two of the dimensions, a small third; every triple in the long run. */
function largeSizes(random: RandomSource, k: number): [number, number][] {
  const small = [1, 2, 3, 5, 8, 9, 17];
  const sizes: [number, number][] = [];
  for (const m of LARGE) {
    for (const n of LARGE) if (LONG || random.integer(5) === 0) sizes.push([m, n]);
    sizes.push([m, random.pick(small)], [random.pick(small), m]);
  }
  return LARGE.includes(k) ? sizes : LARGE.flatMap((m) => LARGE.map((n): [number, number] => [m, n]));
}

test.each([...LARGE, 1, 7, 16, 256, 511, 512])(
  "k = %i: sizes around the block sizes are within the bound, with equal bits in all layouts",
  (k) => {
    const random = randomSource(k);
    const runner = new GemmRunner(openKernels(1 << 24), 513, 513, 513);
    const problem = problemOf(random, 513, 513, k);
    const whole = wholes(runner, problem);
    for (const layout of LAYOUTS) {
      for (const [m, n] of largeSizes(random, k)) {
        const index = random.integer(COMBINATIONS.length);
        const at = placement(random);
        const c = runner.run(problem, layout, m, n, k, COMBINATIONS[index], at);
        const wrong = differsFromWhole(c, m, n, whole[index], 513);
        if (wrong) expect.fail(`${label(layout, m, n, k, COMBINATIONS[index], at)}: ${wrong}`);
      }
    }
  },
);

test.each(LAYOUTS)("%s: C x = A (B x) in f64 where every dimension has several blocks", (layout) => {
  const random = randomSource(77);
  const [m, n, k] = LONG ? [1537, 2051, 1793] : [389, 1031, 773];
  const runner = new GemmRunner(openKernels(1 << 26), m, n, k);
  const problem = problemOf(random, m, n, k);
  const a = rowMajor(problem.a, k);
  const b = rowMajor(problem.b, n);
  const x = Float64Array.from({ length: n }, () => random.uniform(-1, 1));
  const absolute = (values: Float32Array, ld: number) => rowMajor(values.map(Math.abs), ld);
  const magnitude = gemv(m, k, absolute(problem.a, k), gemv(k, n, absolute(problem.b, n), x.map(Math.abs)));
  const expected = gemv(m, k, a, gemv(k, n, b, x));
  const c = runner.run(problem, layout, m, n, k, PRODUCT, { ...PLAIN, pads: [3, 1, 2] });
  const actual = gemv(m, n, rowMajor(c, n), x);
  expectWithin(actual, expected, (i) => gamma(k + 2) * magnitude[i], layout);
  // The sum above hides single elements: rows at the ends of the blocks one by one.
  for (const i of [0, 3, 127, 128, 255, 256, m - 1]) {
    const row = { ...problem, m: 1, a: problem.a.subarray(i * k, (i + 1) * k) };
    const wrong = checkAgainstReference(row, reference(row), PRODUCT, c.slice(i * n, (i + 1) * n));
    if (wrong) expect.fail(`row ${i}: ${wrong}`);
  }
});

test("a row has the same bits at batch 1, 2, 3, 4, 8, 9 and 300", () => {
  const random = randomSource(5);
  for (const [n, k] of [
    [128, 784],
    [10, 128],
    [17, 300],
    [3, 513],
  ]) {
    const runner = new GemmRunner(openKernels(1 << 23), 300, n, k);
    const problem = problemOf(random, 300, n, k);
    for (const how of COMBINATIONS) {
      const whole = runner.run(problem, "nn", 300, n, k, how, PLAIN);
      for (const m of [1, 2, 3, 4, 8, 9]) {
        const wrong = differsFromWhole(runner.run(problem, "nn", m, n, k, how, PLAIN), m, n, whole, n);
        if (wrong) expect.fail(`${label("nn", m, n, k, how, PLAIN)}: ${wrong}`);
      }
    }
  }
});

const SPECIAL_SIZES = [
  [1, 17, 5],
  [2, 35, 9],
  [3, 9, 4],
  [5, 3, 7],
  [9, 17, 12],
  [37, 41, 300],
  [64, 64, 513],
];

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  "%f in A spoils its row alone, in B its column alone; ReLU keeps NaN and Inf",
  (special) => {
    const random = randomSource(8);
    for (const [m, n, k] of SPECIAL_SIZES) {
      const runner = new GemmRunner(openKernels(1 << 21), m, n, k);
      for (const layout of LAYOUTS) {
        for (const how of COMBINATIONS) {
          const clean = problemOf(random, m, n, k);
          const [i, j, p] = [random.integer(m), random.integer(n), random.integer(k)];
          const a = clean.a.slice();
          const b = clean.b.slice();
          a[i * k + p] = special;
          b[p * n + j] = special;
          const unspoilt = runner.run(clean, layout, m, n, k, how, PLAIN);
          const clip = (value: number): number => (how.relu && value < 0 ? 0 : value);
          const rowSpoilt = unspoilt.slice();
          for (let c = 0; c < n; c++) rowSpoilt[i * n + c] = clip(special * clean.b[p * n + c]);
          const columnSpoilt = unspoilt.slice();
          for (let r = 0; r < m; r++) columnSpoilt[r * n + j] = clip(special * clean.a[r * k + p]);
          const what = label(layout, m, n, k, how, PLAIN);
          expectWithin(runner.run({ ...clean, a }, layout, m, n, k, how, PLAIN), rowSpoilt, () => 0, `A: ${what}`);
          expectWithin(runner.run({ ...clean, b }, layout, m, n, k, how, PLAIN), columnSpoilt, () => 0, `B: ${what}`);
        }
      }
    }
  },
);

test("NaN in the bias or in an accumulated C reaches the result, through ReLU too", () => {
  const random = randomSource(9);
  for (const [m, n, k] of SPECIAL_SIZES) {
    const runner = new GemmRunner(openKernels(1 << 21), m, n, k);
    const problem = problemOf(random, m, n, k);
    problem.bias[n - 1] = Number.NaN;
    problem.before[m * n - 1] = Number.NaN;
    for (const how of COMBINATIONS) {
      const c = runner.run(problem, "nn", m, n, k, how, PLAIN);
      const what = label("nn", m, n, k, how, PLAIN);
      expect(Number.isNaN(c[m * n - 1]), what).toBe(how.bias || how.accumulate);
      expect(c.subarray(0, n - 1).some(Number.isNaN), what).toBe(false);
    }
  }
});
