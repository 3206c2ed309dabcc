// Who competes, in the order of the table, and how far each does the same work.
import { createBrain } from "./contestants/brain.ts";
import { createJax } from "./contestants/jax.ts";
import { createOrtNode, createOrtWeb } from "./contestants/onnxruntime.ts";
import { createPredictor, createSimdgrad } from "./contestants/simdgrad.ts";
import { createSynaptic } from "./contestants/synaptic.ts";
import { createTfjsLayers, createTfjsManual } from "./contestants/tfjs.ts";
import { createToygrad } from "./contestants/toygrad.ts";
import type { CreateSubject } from "./subject.ts";

export interface Contestant {
  name: string;
  /** npm packages, for their versions. */
  packages?: readonly string[];
  /** Made in a process of its own; none for PyTorch, which has a script. */
  create?: CreateSubject;
  /** What must agree with the float64 reference before anything is timed: the first three losses, the first alone,
   *  or nothing but that it learns. */
  agrees: "three losses" | "one loss" | "none";
  /** Threads that it may use, 1 unless said. */
  threads?: number;
  /** WebAssembly with fused multiply-add where the engine has it. */
  fused?: boolean;
  /** Machine code, with vectors wider than WebAssembly's 128 bits. */
  native?: boolean;
  inferenceOnly?: boolean;
  /** What it does differently. */
  note?: string;
}

const TOO_SMALL =
  "the step of 4-16-3, a single row and the digits are too little work to share and stay on one: what they differ by from one thread is noise";

export const contestants: readonly Contestant[] = [
  { name: "simdgrad strict", create: createSimdgrad({}), agrees: "three losses" },
  { name: "simdgrad relaxed", create: createSimdgrad({ simd: "relaxed" }), agrees: "three losses", fused: true },
  {
    name: "simdgrad strict, 2 threads",
    create: createSimdgrad({ threads: 2 }),
    agrees: "three losses",
    threads: 2,
    note: TOO_SMALL,
  },
  {
    name: "simdgrad relaxed, 2 threads",
    create: createSimdgrad({ simd: "relaxed", threads: 2 }),
    agrees: "three losses",
    threads: 2,
    fused: true,
    note: TOO_SMALL,
  },
  {
    name: "simdgrad/infer",
    create: createPredictor,
    agrees: "three losses",
    inferenceOnly: true,
    note: "strict; its weights are packed once",
  },
  {
    name: "jax-js",
    packages: ["@jax-js/jax"],
    create: createJax,
    agrees: "three losses",
    fused: true,
    note: "the whole step in one `jit`, compiled anew for every training of the digits; its threads need a browser's `Worker`",
  },
  {
    name: "TensorFlow.js",
    packages: ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"],
    create: createTfjsLayers,
    agrees: "three losses",
    note: "wasm backend; `trainOnBatch`, `predict`, `fit`",
  },
  {
    name: "TensorFlow.js by hand",
    packages: ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"],
    create: createTfjsManual,
    agrees: "three losses",
    note: "wasm backend; a gradient written by hand that transposes first, for its product is slow on transposed operands",
  },
  {
    name: "onnxruntime-web",
    packages: ["onnxruntime-web"],
    create: createOrtWeb,
    agrees: "three losses",
    inferenceOnly: true,
    note: "wasm, one thread",
  },
  {
    name: "onnxruntime-node",
    packages: ["onnxruntime-node"],
    create: createOrtNode,
    agrees: "three losses",
    inferenceOnly: true,
    native: true,
    note: "native, one thread",
  },
  {
    name: "toygrad",
    packages: ["toygrad"],
    create: createToygrad,
    agrees: "one loss",
    note: "row by row; its Adam multiplies by the bias corrections instead of dividing",
  },
  {
    name: "brain.js",
    packages: ["brain.js"],
    create: createBrain,
    agrees: "none",
    note: "online SGD: sigmoid units, squared error, one update a row; a step is a batch's rows",
  },
  {
    name: "synaptic",
    packages: ["synaptic"],
    create: createSynaptic,
    agrees: "none",
    note: "online SGD: sigmoid units, squared error, one update a row; a step is a batch's rows",
  },
  { name: "PyTorch, 1 thread", agrees: "three losses", threads: 1, native: true, note: "native" },
  {
    name: "PyTorch, 2 threads",
    agrees: "three losses",
    threads: 2,
    native: true,
    note: "native, OMP_WAIT_POLICY=passive",
  },
];
