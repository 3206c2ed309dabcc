// The machine's limit for inference of one row: how often a second one core reads as many bytes as the weights take,
// by the loop of ../control/bandwidth.ts.
import { readFileSync } from "node:fs";
import type { Trial, Workload } from "../workload.ts";
import { weightBytes, workloads } from "./workloads.ts";

const PAGE = 65536;
const bytes = Math.max(...workloads.filter(({ streams }) => streams).map(weightBytes));

export const bandwidth: Workload = {
  name: "bandwidth",
  title: "Weights read",
  unit: "rows/s",
  contestants: { "128-bit loads": createTrial },
};

function createTrial(): Trial {
  const module = new WebAssembly.Module(readFileSync(new URL("./bandwidth.wasm", import.meta.url)));
  const { exports } = new WebAssembly.Instance(module);
  const memory = exports.memory as WebAssembly.Memory;
  const read = exports.bandwidth as (start: number, bytes: number) => number;
  const start = PAGE * memory.grow(Math.ceil(bytes / PAGE));
  // Written, for pages that never were share one of zeros.
  const words = new Int32Array(memory.buffer, start, bytes / 4).map((_, i) => Math.imul(i, 0x9e3779b1));
  new Int32Array(memory.buffer, start).set(words);
  const sum = words.reduce((total, word) => (total + word) | 0, 0);
  return {
    check: () => {
      if (read(start, bytes) !== sum) throw new Error(`Expected the words' sum ${sum}, received another.`);
      return [];
    },
    run: () => read(start, bytes),
    units: 1,
  };
}
