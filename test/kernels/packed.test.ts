// Products of packed weights have the bits of sgemm_nn, which other tests hold against the reference.
import { expect, test } from "vitest";
import { createKernels } from "../../src/kernels.ts";
import { COMBINATIONS, differsFromWhole, GemmRunner, PLAIN, type Problem } from "../support/gemm.ts";
import { LONG } from "../support/long.ts";
import { randomSource } from "../support/random.ts";
import { openInferKernels } from "../support/space.ts";

/** Packed weights serve no accumulation. */
const HOWS = COMBINATIONS.filter(({ accumulate }) => !accumulate);

/** Compares products of the problem's upper left parts, all of its k, in each of the given sizes. */
function compare(seed: number, k: number, sizes: readonly (readonly [m: number, n: number])[]): void {
  const random = randomSource(seed);
  const [m, n] = [0, 1].map((i) => Math.max(...sizes.map((size) => size[i])));
  const problem: Problem = {
    m,
    n,
    k,
    a: random.floats(m * k),
    b: random.floats(k * n),
    before: new Float32Array(0),
    bias: random.floats(n, -4, 4),
  };
  const rowMajor = new GemmRunner(createKernels({ bytes: 1 << 24 }), m, n, k);
  const packed = new GemmRunner(openInferKernels(1 << 24), m, n, k);
  const wholes = HOWS.map((how) => rowMajor.run(problem, "nn", m, n, k, how, PLAIN));
  for (const [rows, columns] of sizes) {
    const index = random.integer(HOWS.length);
    const three = (): [number, number, number] => [random.integer(4), random.integer(4), random.integer(4)];
    const at = { pads: three(), shifts: three(), padded: random.integer(3) === 0 };
    const c = packed.run(problem, "packed", rows, columns, k, HOWS[index], at);
    const wrong = differsFromWhole(c, rows, columns, wholes[index], n);
    if (wrong) expect.fail(`${rows} x ${columns} x ${k} ${JSON.stringify({ ...HOWS[index], ...at })}: ${wrong}`);
  }
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const pairs = (ms: readonly number[], ns: readonly number[]) => ms.flatMap((m) => ns.map((n) => [m, n] as const));

test.each(LONG ? upTo(41) : [1, 2, 3, 4, 5, 8, 13, 31, 41])("k = %i: all sizes from 1 to 41", (k) => {
  compare(k, k, pairs(upTo(41), upTo(41)));
});

test.each([255, 256, 257, 511, 512, 513, 784])("k = %i: around the blocks of all dimensions", (k) => {
  const [few, many] = [
    [1, 2, 3, 4, 5, 8, 9, 12, 16],
    [127, 128, 129, 130, 131, 257],
  ];
  const columns = [1, 3, 7, 8, 10, 16, 23, 24, 25, 32, 39, 40, 65, 100, 121, 127, 128, 255, 257];
  compare(k, k, [...pairs(few, columns), ...pairs(many, LONG ? columns : [7, 24, 33, 129])]);
});

test("panels hold each element once, eight columns at a time, block of k after block, and nothing else", () => {
  const [k, n] = [300, 19];
  const space = openInferKernels(1 << 16);
  const from = space.f32(k * n);
  const to = space.f32(k * n + 1).fill(-1);
  from.set(from.map((_, i) => i));
  space.kernels.pack_panels(256, n, from.byteOffset, 0, 256, to.byteOffset);
  space.kernels.pack_panels(44, n, from.byteOffset + 4 * 256 * n, 0, 44, to.byteOffset + 4 * 256 * n);
  expect(new Set(to).size).toBe(k * n + 1);
  expect(to[k * n]).toBe(-1);
  const at = (row: number, column: number) => to.indexOf(row * n + column);
  expect([at(0, 0), at(0, 7), at(1, 0), at(255, 7)]).toEqual([0, 7, 8, 256 * 8 - 1]);
  expect([at(0, 8), at(0, 16), at(1, 16)]).toEqual([256 * 8, 256 * 16, 256 * 16 + 3]);
  expect([at(256, 0), at(256, 18), at(299, 18)]).toEqual([256 * n, 256 * n + 44 * 16 + 2, k * n - 1]);
});
