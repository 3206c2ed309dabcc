// The relaxed build: where the engine has it, near the strict one; elsewhere a clear error.
import { describe, expect, it } from "vitest";
import { adam, dense, type SequentialConfig, sequential } from "../../src/index.ts";
import { createKernels } from "../../src/kernels.ts";
import { useRelaxed } from "../../src/runtime/module.ts";
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
