// What serving must not wake the garbage collector with: predictInto allocates nothing.
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

/** Bytes of the heap that a call takes (the least object has 12), in the best of several rounds, for while the engine
 *  still compiles it allocates too. A round begins after a collection and ends before the next: the young generation
 *  holds 100,000 times 600 bytes. The heap is told in pages of 256 KB: one more or less is 2.6 bytes a call. */
const SCRIPT = `
  import { dense, embedding, sequential } from "./dist/index.js";
  import { load } from "./dist/infer.js";

  function bytesOfCall(predictor, x, out, calls = 100_000) {
    const call = (n) => {
      for (let i = 0; i < n; i++) predictor.predictInto(x, out);
    };
    for (let i = 0; i < 10; i++) call(5000);
    const rounds = Array.from({ length: 7 }, () => {
      gc();
      const before = process.memoryUsage().heapUsed;
      call(calls);
      return (process.memoryUsage().heapUsed - before) / calls;
    });
    return Math.min(...rounds);
  }

  const relu = { activation: "relu" };
  const small = sequential({ input: 4, layers: [dense(8, relu), dense(2)] });
  const wide = sequential({ input: 4, layers: [dense(100)] });
  const indexed = sequential({ input: 2, layers: [embedding({ vocabulary: 9, units: 2, column: 1 }), dense(3)] });
  const chunked = sequential({ input: 2, layers: [dense(2)], maxBatch: 2 });
  const rows = (n) => new Float32Array(n);
  console.log(JSON.stringify({
    "one row": bytesOfCall(small, rows(4), rows(2)),
    "many rows": bytesOfCall(small, rows(4 * 40), rows(2 * 40)),
    "a wide row": bytesOfCall(wide, rows(4), rows(100)),
    "indices": bytesOfCall(indexed, rows(2), rows(3)),
    "a predictor": bytesOfCall(load(small.save()), rows(4), rows(2)),
    // A view a chunk: the measurement sees what is there.
    "chunks": bytesOfCall(chunked, rows(6), rows(6), 20_000),
  }));
`;

it("predictInto allocates nothing from Float32Array to Float32Array, and beyond maxBatch a view a chunk", () => {
  const flags = ["--expose-gc", "--min-semi-space-size=128", "--max-semi-space-size=128", "--input-type=module"];
  const output = execFileSync(process.execPath, [...flags, "-e", SCRIPT], { encoding: "utf8" });
  const { chunks, ...others } = JSON.parse(output) as Record<string, number>;
  for (const [name, bytes] of Object.entries(others)) expect(bytes, name).toBeLessThan(8);
  expect(chunks).toBeGreaterThan(50);
});
