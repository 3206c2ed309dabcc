// The relaxed build: where the engine has it, near the strict one; elsewhere a clear error.
import { describe, expect, it } from "vitest";
import { adam, dense, type SequentialConfig, sequential } from "../../src/index.ts";
import { createKernels } from "../../src/kernels.ts";
import { useRelaxed } from "../../src/runtime/module.ts";
import { bitDifference } from "../support/bounds.ts";
import { digitsModel, readDigits } from "../support/digits.ts";
import { randomSource } from "../support/random.ts";

const config: SequentialConfig = {
  input: 300,
  layers: [dense(70, { activation: "gelu" }), dense(33, { activation: "tanh" }), dense(5, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam(),
};
const HAS_RELAXED = useRelaxed("auto");

describe(`simd on an engine ${HAS_RELAXED ? "with" : "without"} relaxed SIMD`, () => {
  it("auto and relaxed learn the digits, or relaxed says what is missing", async () => {
    const { train, test } = readDigits();
    const model = digitsModel({ simd: "auto", seed: 1 });
    await model.fit(train, { epochs: 30 });
    expect(model.evaluate(test).accuracy).toBeGreaterThanOrEqual(0.955);
    const relaxed = () => digitsModel({ simd: "relaxed" });
    if (HAS_RELAXED) expect(relaxed().predict(test.x.subarray(0, 64))).toHaveLength(10);
    else expect(relaxed).toThrow(expect.objectContaining({ code: "RUNTIME", message: expect.stringMatching(/auto/) }));
  });

  it("auto stays near strict: one forward within the bound of its longest reduction", () => {
    const x = randomSource(9).floats(40 * 300);
    const strict = sequential(config).predict(x);
    const auto = sequential({ ...config, simd: "auto" }).predict(x);
    const gamma = (300 + 70 + 33 + 20) * 2 ** -24;
    // Weights of unit gain: an error of gamma in each layer's sums reaches the output no more than tenfold.
    strict.forEach((value, i) => {
      expect(Math.abs(auto[i] - value)).toBeLessThanOrEqual(10 * gamma);
    });
  });

  it("is not the strict build under another name: its bits differ where the engine fuses", () => {
    const x = randomSource(9).floats(40 * 300);
    const [strict, auto] = (["strict", "auto"] as const).map((simd) => sequential({ ...config, simd }).predict(x));
    expect(bitDifference(auto, strict) !== undefined).toBe(HAS_RELAXED && fuses());
  });

  it("random numbers that only add and multiply integers are the same bits", () => {
    const fill = (simd: "strict" | "auto") => {
      const k = createKernels({ simd });
      const out = k.i32(100);
      k.kernels.philox_u32(100, out.byteOffset, 1, 2, 3, 4, 5, 6);
      return out.slice();
    };
    expect(fill("auto")).toEqual(fill("strict"));
  });
});

/** Whether relaxed_madd rounds once here: (1 + 2^-12)^2 - (1 + 2^-11) is 2^-24, and 0 where the product is rounded. */
function fuses(): boolean {
  const module = Uint8Array.of(
    ...[0, 97, 115, 109, 1, 0, 0, 0], // header
    ...[1, 7, 1, 96, 2, 125, 125, 1, 125, 3, 2, 1, 0], // one type: two f32 to one; one function of it
    ...[7, 5, 1, 1, 102, 0, 0], // exported as f
    ...[10, 22, 1, 20, 0, 32, 0, 253, 19, 32, 0, 253, 19, 32, 1, 253, 19], // its body: a, a and c in all lanes
    ...[253, 133, 2, 253, 31, 0, 11], // f32x4.relaxed_madd; lane 0
  );
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(module)).exports;
  return (f as (a: number, c: number) => number)(1 + 2 ** -12, -(1 + 2 ** -11)) > 0;
}
