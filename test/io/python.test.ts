// Files that Python's safetensors package wrote: headers in its order and of its length, dtypes mixed.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { load } from "../../src/index.ts";
import { readSafetensors } from "../../src/io/safetensors.ts";

interface Golden {
  readonly name: string;
  readonly file: string;
  readonly tensors: Record<string, { shape: number[]; data: number[] }>;
  readonly metadata: Record<string, string>;
  readonly x?: number[];
  readonly outputs?: number[];
}

const goldens: Golden[] = JSON.parse(readFileSync(new URL("../goldens/files.json", import.meta.url), "utf8"));
const bytesOf = ({ file }: Golden) => new Uint8Array(Buffer.from(file, "base64"));

describe("files from Python", () => {
  for (const golden of goldens) {
    it(`${golden.name} is read`, () => {
      const { tensors, metadata } = readSafetensors(bytesOf(golden));
      expect(Object.fromEntries(metadata)).toEqual(golden.metadata);
      const found = [...tensors.values()].map(({ name, shape, values }) => [name, { shape, data: [...values] }]);
      expect(Object.fromEntries(found)).toEqual(golden.tensors);
    });
  }

  const models = goldens.filter(({ x }) => x);
  it("there are models in each dtype", () => expect(models.length).toBe(4));
  for (const golden of models) {
    it(`${golden.name} predicts`, () => {
      const model = load(bytesOf(golden));
      expect(model.metadata).toEqual({ made: "by Python" });
      const outputs = model.predict(Float32Array.from(golden.x as number[]));
      // Sums of 3, then of 5 products, each term below 4 in size: 10 roundings of at most 4 * 2^-24.
      (golden.outputs as number[]).forEach((expected, i) => {
        expect(Math.abs(outputs[i] - expected)).toBeLessThan(40 * 2 ** -24);
      });
    });
  }
});
